/** Working off what is to be replicated: order, retries and what is recorded, with destinations that the test scripts. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { createHolds } from '#jobs/holds.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { type Digest, digestOf } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createRegistrySettings } from '#registry/settings.ts'
import { replicationSetting } from '#replication/configuration.ts'
import type { Destination, Outcome } from '#replication/destination.ts'
import { createReplicationEngine } from '#replication/engine.ts'
import type { ReplicationAction, ReplicationCause, ReplicationItem } from '#replication/item.ts'
import { queueItem } from '#replication/queue.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'

const account = parseAccountId('000000000000')
const source = { account, region: parseRegion('us-east-1') }
const destination = { account, region: parseRegion('eu-west-1') }
const digestOfNumber = (number: number) => digestOf('sha256', number.toString(16).padStart(64, '0'))
const tag = parseTag('v1')

async function startStage(t: TestContext, databases: Databases) {
  let now = 1_000_000
  const clock = () => now
  const url = await databases.url()
  const metadata = await databases.open(t, url)
  const name = parseRepositoryName('team/app')
  const key = { registry: source, name }
  const { id: repositoryId } = await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(
    key,
    {},
  )
  const settings = createRegistrySettings({ metadata, clock })
  await settings.put(source, replicationSetting, [{ destinations: [destination], filters: ['team/'] }])
  const actions: ReplicationAction[] = []
  const attempts: ReplicationItem[] = []

  const queue = (digest: Digest, more: { cause?: ReplicationCause; tags?: ReplicationItem['tags'] } = {}) =>
    metadata.transaction((trx) =>
      queueItem(
        trx,
        { repositoryId, source, destination, digest, cause: 'push', pushedAt: now, tags: [], ...more },
        now,
      ),
    )

  function start(
    outcomeOf: (item: ReplicationItem) => Outcome | Promise<Outcome>,
    { store = metadata, processId = 'one', lanes = 1 }: { store?: Metadata; processId?: string; lanes?: number } = {},
  ) {
    const scripted: Destination = {
      ...{ leaseKey: 'test', lanes, batch: 2 },
      closedUntil: () => undefined,
      async replicate(items, settle) {
        for (const item of items) {
          attempts.push(item)
          const outcome = await outcomeOf(item)
          await store.transaction((trx) => settle(trx, item, outcome))
        }
      },
      inspect: async () => ({ images: new Map(), tags: new Map() }),
      missingBlobs: async () => new Set(),
    }
    const engine = createReplicationEngine({
      ...{ metadata: store, clock, holds: createHolds({ metadata: store, clock, processId }) },
      findDestination: () => scripted,
      onAction: async (_, action) => void actions.push(action),
      onError: () => {},
      ...{ pollMs: 10, random: () => 1 },
    })
    engine.start()
    t.after(() => engine.stop())
    return engine
  }

  const states = async () => {
    const rows = await metadata.reader.selectFrom('replication_item').selectAll().orderBy('digest').execute()
    return rows.map(({ state, failure_code }) => (failure_code === null ? state : `${state} ${failure_code}`))
  }
  /** The settled attempts of the first item. */
  const counted = async () =>
    (await metadata.reader.selectFrom('replication_item').select('attempts').executeTakeFirst())?.attempts
  const route = () => metadata.reader.selectFrom('replication_destination').selectAll().executeTakeFirstOrThrow()
  return {
    ...{ url, metadata, repositoryId, settings, actions, attempts, queue, start, states, counted, route },
    move: (ms: number) => {
      now += ms
    },
  }
}

const complete: Outcome = { kind: 'complete', bytes: 7 }

eachDatabase((databases) =>
  describe(`the replicator on ${databases.dialect}`, () => {
    test('pushes go before what is filled in, in the order of the pushes', async (t) => {
      const stage = await startStage(t, databases)
      await stage.queue(digestOfNumber(1), { cause: 'sync' })
      await stage.queue(digestOfNumber(3))
      await stage.queue(digestOfNumber(2))
      stage.start(() => complete)
      await until(async () => (await stage.states()).every((state) => state === 'COMPLETE'))
      assert.deepEqual(
        stage.attempts.map(({ digest }) => digest),
        [3, 2, 1].map(digestOfNumber),
      )
      const { images, bytes, succeeded_at } = await stage.route()
      assert.deepEqual({ images, bytes, succeeded_at }, { images: 3, bytes: 21, succeeded_at: 1_000_000 })
    })

    test('a refusal is one event and FAILED, is tried each hour, and ends with the permission', async (t) => {
      const stage = await startStage(t, databases)
      let answer: Outcome = { kind: 'refused', code: 'AccessDenied', reason: 'no policy' }
      await stage.queue(digestOfNumber(1), { tags: [{ tag, pushedAt: 5 }] })
      stage.start(() => answer)
      await until(async () => (await stage.states())[0] === 'FAILED AccessDenied')
      stage.move(60 * 60 * 1_000)
      await until(async () => (await stage.counted()) === 2)
      answer = complete
      stage.move(60 * 60 * 1_000)
      await until(async () => (await stage.states())[0] === 'COMPLETE')
      assert.deepEqual(
        stage.actions.map(({ result, tag: acted, failure }) => [result, acted, failure?.code]),
        [
          ['FAILED', tag, 'AccessDenied'],
          ['SUCCESS', tag, undefined],
        ],
      )
    })

    test('a destination out of reach counts once for all images, and each wait is longer', async (t) => {
      const stage = await startStage(t, databases)
      let answer: Outcome = { kind: 'unreachable', reason: 'it refuses the connection' }
      for (const number of [1, 2, 3, 4]) await stage.queue(digestOfNumber(number))
      stage.start(() => answer, {
        lanes: 2,
      })
      await until(async () => (await stage.route()).failures === 1)
      const first = await stage.route()
      assert.equal(first.next_at, 1_000_000 + 2_000)
      assert.equal(first.unreachable_since, 1_000_000)
      assert.deepEqual(new Set(await stage.states()), new Set(['WAITING']))
      stage.move(2_000)
      await until(async () => (await stage.route()).failures === 2)
      assert.equal((await stage.route()).next_at, 1_002_000 + 4_000)
      answer = complete
      stage.move(4_000)
      await until(async () => (await stage.states()).every((state) => state === 'COMPLETE'))
      const { failures, unreachable_since, last_error } = await stage.route()
      assert.deepEqual([failures, unreachable_since, last_error], [0, null, null])
      assert.deepEqual(new Set(stage.actions.map(({ result }) => result)), new Set(['SUCCESS']))
    })

    test('a destination that asks for years of patience is tried after an hour', async (t) => {
      const stage = await startStage(t, databases)
      await stage.queue(digestOfNumber(1))
      stage.start(() => ({ kind: 'unreachable', reason: 'it receives too many requests', retryAfterMs: 1e12 }))
      await until(async () => (await stage.route()).failures === 1)
      assert.equal((await stage.route()).next_at, 1_000_000 + 3_600_000)
    })

    test('a push during an attempt is replicated after it', async (t) => {
      const stage = await startStage(t, databases)
      const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      await stage.queue(digestOfNumber(1))
      stage.start(async ({ revision }) => {
        begun.resolve()
        if (revision === 1) await go.promise
        return complete
      })
      await begun.promise
      await stage.queue(digestOfNumber(1), { tags: [{ tag, pushedAt: 9 }] })
      go.resolve()
      await until(async () => (await stage.states())[0] === 'COMPLETE')
      assert.deepEqual(
        stage.attempts.map(({ tags }) => tags),
        [[], [{ tag, pushedAt: 9 }]],
      )
    })

    test('a push during an attempt that finds the image gone is replicated with its tag', async (t) => {
      const stage = await startStage(t, databases)
      const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      await stage.queue(digestOfNumber(1))
      stage.start(async ({ revision }) => {
        begun.resolve()
        if (revision > 1) return complete
        await go.promise
        return { kind: 'gone' }
      })
      await begun.promise
      await stage.queue(digestOfNumber(1), { tags: [{ tag, pushedAt: 9 }] })
      go.resolve()
      await until(async () => (await stage.states())[0] === 'COMPLETE')
      assert.deepEqual(stage.attempts.at(-1)?.tags, [{ tag, pushedAt: 9 }])
    })

    test('an image that is pushed again while it waits is behind since the first push', async (t) => {
      const stage = await startStage(t, databases)
      const pushedAt = async () =>
        (await stage.metadata.reader.selectFrom('replication_item').select('pushed_at').executeTakeFirst())?.pushed_at
      await stage.queue(digestOfNumber(1))
      stage.move(60_000)
      await stage.queue(digestOfNumber(1))
      assert.equal(await pushedAt(), 1_000_000)
      stage.start(() => complete)
      await until(async () => (await stage.states())[0] === 'COMPLETE')
      await stage.queue(digestOfNumber(1))
      assert.equal(await pushedAt(), 1_060_000)
    })

    test('what throws fails alone and waits longer each time, still in progress', async (t) => {
      const stage = await startStage(t, databases)
      await stage.queue(digestOfNumber(1))
      await stage.queue(digestOfNumber(2))
      stage.start(({ digest }) => {
        if (digest === digestOfNumber(2)) throw new Error('a fault')
        return complete
      })
      await until(async () => (await stage.states())[1] === 'WAITING InternalError')
      assert.deepEqual(await stage.states(), ['COMPLETE', 'WAITING InternalError'])
      const tries = stage.attempts.length
      stage.move(2_000)
      await until(() => stage.attempts.length === tries + 1)
    })

    test('a rule that went stops what waits for it', async (t) => {
      const stage = await startStage(t, databases)
      await stage.queue(digestOfNumber(1))
      await stage.settings.put(source, replicationSetting, [{ destinations: [destination], filters: ['other/'] }])
      stage.start(() => complete)
      await until(async () => (await stage.states()).length === 0)
      assert.deepEqual(stage.attempts, [])
    })

    test('of two processes one works on a destination, and the other takes over when it dies', async (t) => {
      const stage = await startStage(t, databases)
      const other = await databases.open(t, stage.url)
      await stage.queue(digestOfNumber(1))
      const holds = createHolds({ metadata: stage.metadata, clock: () => 1_000_000, processId: 'dead' })
      assert(await holds.take('test', 10_000))
      stage.start(() => complete, { store: other, processId: 'alive' })
      await until(async () => (await stage.states())[0] === 'WAITING')
      assert.deepEqual(stage.attempts, [])
      stage.move(10_001)
      await until(async () => (await stage.states())[0] === 'COMPLETE')
    })
  }),
)
