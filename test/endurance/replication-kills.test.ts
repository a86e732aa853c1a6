/**
 * A server is killed with SIGKILL while it copies images to another of its registries, and while clients push. At each death no image is
 * COMPLETE without its rows at the destination, and none that a client pushed is forgotten. In the end both sides hold the same.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ECR } from '@aws-sdk/client-ecr'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { contentOf } from '#test/support/replication.ts'
import { type ServeProcess, startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const kills = 6
const imagesEach = 40
const name = 'team/app'
const account = '000000000000'
const [here, there] = ['us-east-1', 'eu-west-1']
const rootKey = { accessKeyId: 'AKIAKILLSKILLSKILLS1', secretAccessKey: 'kills-secret-kills-secret-kills-secret-k' }

function registries(endpoint: string) {
  const client = (region: string) => ({
    ...{ registryId: account, region, name: `${account}/${region}` },
    ecr: new ECR({ endpoint, region, credentials: rootKey, maxAttempts: 1 }),
  })
  return { source: client(here), copy: client(there) }
}

/** What a death must leave true. Answers how many images are complete. */
async function requireTrue({ reader }: Metadata, pushed: ReadonlyMap<string, string>): Promise<number> {
  const items = await reader.selectFrom('replication_item').select(['id', 'digest', 'state']).execute()
  const late = await reader.selectFrom('replication_tag').selectAll().execute()
  const stored = await reader
    .selectFrom('manifest')
    .innerJoin('repository', 'repository.id', 'manifest.repository_id')
    .innerJoin('manifest_content as content', (join) =>
      join
        .onRef('content.repository_id', '=', 'manifest.repository_id')
        .onRef('content.digest', '=', 'manifest.digest'),
    )
    .leftJoin('tag', (join) =>
      join.onRef('tag.repository_id', '=', 'manifest.repository_id').onRef('tag.digest', '=', 'manifest.digest'),
    )
    .select(['manifest.digest', 'tag.tag'])
    .where('repository.region', '=', there)
    .execute()
  const tagThere = new Map(stored.map(({ digest, tag }) => [digest, tag]))
  const item = new Map(items.map((each) => [each.digest, each]))
  for (const [digest, tag] of pushed) {
    const queued = item.get(digest)
    assert(queued, 'what a client pushed is on its way, or there')
    const isLate = late.some(({ item_id }) => item_id === queued.id)
    if (queued.state === 'COMPLETE') assert.deepEqual([tagThere.get(digest), isLate], [tag, false])
    else assert(isLate, 'its tag is still to be pointed to it')
  }
  for (const { digest, state } of items) if (state === 'COMPLETE') assert(tagThere.has(digest))
  return items.filter(({ state }) => state === 'COMPLETE').length
}

async function countComplete({ reader }: Metadata): Promise<number> {
  const rows = await reader.selectFrom('replication_item').select('id').where('state', '=', 'COMPLETE').execute()
  return rows.length
}

eachDatabase(({ dialect, url }) => {
  test(`${kills} kills while images are copied within a deployment lose none (${dialect})`, async (t) => {
    await using folder = await temporaryFolder()
    const database = await url()
    const start = async (): Promise<[ServeProcess, string]> => {
      const server = startServeProcess([
        ...['--listen', '127.0.0.1:0', '--data-dir', folder.path, '--database', database, '--log', 'warn'],
        ...['--root-access-key-id', rootKey.accessKeyId, '--root-secret-access-key', rootKey.secretAccessKey],
      ])
      return [server, await server.url()]
    }
    const base = image({ seed: 'kills', layers: [100] })
    const document = JSON.parse(base.bytes.toString()) as Record<string, unknown>
    const pushed = new Map<string, string>()

    const metadata = await openMetadata(database, assert.fail)
    t.after(() => metadata.close())
    let complete = 0
    for (let round = 0; round < kills; round++) {
      const [server, endpoint] = await start()
      await using _ = server
      const { source } = registries(endpoint)
      if (round === 0) {
        await source.ecr.createRepository({ repositoryName: name })
        await pushImageTo(source.ecr, name, base)
        const rule = { destinations: [{ registryId: account, region: there }] }
        await source.ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [rule] } })
      }
      const before = pushed.size
      const pushes = Array.from({ length: imagesEach }, async (_each, at) => {
        const imageManifest = JSON.stringify({ ...document, annotations: { round: `${round}`, at: `${at}` } })
        const imageTag = `v${round}-${at}`
        const answer = await source.ecr
          .putImage({ repositoryName: name, imageManifest, imageTag })
          .catch(() => undefined)
        if (answer !== undefined) pushed.set(answer.image?.imageId?.imageDigest ?? assert.fail(), imageTag)
      })
      await until(() => pushed.size > before)
      // Now as soon as an image is complete, and now at any moment.
      if (round % 2 === 0) while ((await countComplete(metadata)) <= complete) await delay(1)
      else await delay(randomInt(0, 900))
      server.signal('SIGKILL')
      await Promise.all([server.exit, ...pushes])
      complete = await requireTrue(metadata, pushed)
      t.diagnostic(`${pushed.size} pushed, ${complete} complete`)
    }

    const [server, endpoint] = await start()
    await using _ = server
    const { source, copy } = registries(endpoint)
    const copied = async () => ((await contentOf(copy.ecr, name)) ?? []).filter((line) => line.includes(' '))
    const expected = async () => ((await contentOf(source.ecr, name)) ?? []).filter((line) => line.includes(' '))
    await until(async () => (await copied()).length === (await expected()).length)
    assert.deepEqual(await copied(), await expected())
  })
})
