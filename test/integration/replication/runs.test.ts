/** Back-fills over a destination that the test plays: dry runs, pauses, failures and cancellation. Nothing works on the queue. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import type { Digest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { Destination } from '#replication/destination.ts'
import { createReplicationRuns } from '#replication/runs/runs.ts'
import { createRunWorker } from '#replication/runs/worker.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { replicateTo } from '#test/support/replication.ts'

const account = parseAccountId('000000000000')
const source = { account, region: parseRegion('us-east-1') }
const request = { prefixes: [], tagPatterns: [], repair: false, includeLost: false }
const by = 'arn:aws:iam::000000000000:root'

eachDatabase(({ dialect, url, open }) => {
  /** Two images that share a layer, a rule, and a destination that has nothing. */
  async function stage(metadata: Metadata, inspect: Partial<Destination> = {}) {
    const destination: Destination = {
      ...{ leaseKey: 'test', lanes: 1, batch: 1, closedUntil: () => undefined, replicate: async () => {} },
      inspect: async (_name, { digests }) => ({
        images: new Map(digests.map((digest) => [digest, 'absent' as const])),
        tags: new Map(),
      }),
      missingBlobs: async (_name, digests) => new Set<Digest>(digests),
      ...inspect,
    }
    const runs = createReplicationRuns({ metadata, clock: Date.now })
    const { work } = createRunWorker({ metadata, clock: Date.now, findDestination: () => destination })
    const signal = new AbortController().signal
    return { runs, walk: (id: number) => work({ id }, { signal }) }
  }

  async function prepare(database: string) {
    await using session = await startEcrSession({ database })
    const repositoryName = await session.repository()
    const images = ['1', '2'].map((seed) => image({ seed, layers: [5_000] }))
    for (const [at, each] of images.entries()) await session.push(repositoryName, each, `v${at}`)
    const again = await session.repository()
    for (const each of images) await session.push(again, each)
    await replicateTo(session.ecr, [{ region: 'eu-west-1', registryId: account }])
    const blobs = new Map(images.flatMap((each) => each.blobs.map(({ digest, bytes }) => [digest, bytes.length])))
    return [...blobs.values()].reduce((sum, size) => sum + size, 0)
  }

  const itemsOf = (metadata: Metadata) =>
    metadata.reader.selectFrom('replication_item').select(['state', 'due_at', 'cause']).execute()

  test(`a dry run counts each missing blob once and asks for no copy (${dialect})`, async (t) => {
    const database = await url()
    const bytes = await prepare(database)
    const metadata = await open(t, database)
    const { runs, walk } = await stage(metadata)
    const [run] = await runs.start(source, { kind: 'dry-run', destinations: [], request, by })
    assert(run !== undefined)
    assert.equal(await walk(run.id), 'done')
    const { state, counts } = await runs.get(source, run.id)
    assert.deepEqual([state, counts.toSend, counts.bytes], ['COMPLETE', 4, bytes])
    assert.deepEqual(await itemsOf(metadata), [])
  })

  test(`a pause holds what a back-fill asked for, and cancellation drops it (${dialect})`, async (t) => {
    const database = await url()
    await prepare(database)
    const metadata = await open(t, database)
    const { runs, walk } = await stage(metadata)
    const [run] = await runs.start(source, { kind: 'sync', destinations: [], request, by })
    assert(run !== undefined)
    await walk(run.id)
    const states = async () => (await itemsOf(metadata)).map(({ state, due_at }) => [state, due_at !== null])
    assert.deepEqual(await states(), Array(4).fill(['WAITING', true]))
    await assert.rejects(runs.start(source, { kind: 'sync', destinations: [], request, by }), {
      code: 'ReplicationRunUnderWay',
    })
    await runs.change(source, run.id, 'pause')
    assert.deepEqual(await states(), Array(4).fill(['WAITING', false]))
    assert.equal(await walk(run.id), 'done')
    await runs.change(source, run.id, 'resume')
    assert.deepEqual(await states(), Array(4).fill(['WAITING', true]))
    const { state } = await runs.change(source, run.id, 'cancel')
    assert.equal(state, 'CANCELLED')
    assert.deepEqual(await states(), [])
    await assert.rejects(runs.change(source, run.id, 'resume'), { code: 'ReplicationRunFinished' })
  })

  test(`a run waits for a destination out of reach, and fails where it is forbidden (${dialect})`, async (t) => {
    const database = await url()
    await prepare(database)
    const metadata = await open(t, database)
    let reason: 'unreachable' | 'forbidden' = 'unreachable'
    const { runs, walk } = await stage(metadata, {
      inspect: async () => Promise.reject(new RemoteFailure(reason, `it is ${reason}`)),
    })
    const [run] = await runs.start(source, { kind: 'verify', destinations: [], request, by })
    assert(run !== undefined)
    assert.notEqual(await walk(run.id), 'done')
    assert.partialDeepStrictEqual(await runs.get(source, run.id), { state: 'RUNNING', lastError: 'it is unreachable' })
    reason = 'forbidden'
    assert.equal(await walk(run.id), 'done')
    assert.partialDeepStrictEqual(await runs.get(source, run.id), { state: 'FAILED', lastError: 'it is forbidden' })
  })
})
