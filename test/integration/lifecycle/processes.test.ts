/**
 * A lifecycle policy over two thousand images, in two server processes who both find its run due, or are killed in the middle of it. In
 * the end the very images that the policy takes have gone, and each of them once.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CloudTrailClient, paginateLookupEvents } from '@aws-sdk/client-cloudtrail'
import { PutLifecyclePolicyCommand, paginateListImages } from '@aws-sdk/client-ecr'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { type Client, createClient, ensureRepository } from '#test/support/cluster/client.ts'
import { type Cluster, startCluster } from '#test/support/cluster/cluster.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'
import { type Filled, fill, images, policy } from './fill.ts'

const region = 'us-east-1'
const rootKey = { accessKeyId: 'AKIALIFELIFELIFELIFE', secretAccessKey: 'life-secret-life-secret-life-secret-life' }
/** From when a policy was put until its run, and from when a process died until another takes its job. */
const soonMs = 61_000

eachDatabase(({ dialect, url }) =>
  describe(`a lifecycle policy in server processes, on ${dialect}`, { timeout: 120_000 }, () => {
    const disposing = new AsyncDisposableStack()
    let cluster: Cluster
    let metadata: Metadata
    let client: Client
    before(async () => {
      const folder = disposing.use(await temporaryFolder())
      const database = await url()
      const environment = {
        LADING_LISTEN: '127.0.0.1:0',
        LADING_DATA_DIR: folder.path,
        LADING_DATABASE: database,
        LADING_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
        LADING_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
      }
      cluster = disposing.use(await startCluster(2, environment))
      metadata = await openMetadata(database, () => {})
      disposing.defer(() => metadata.close())
      client = createClient(cluster, region, rootKey)
    })
    after(() => disposing.disposeAsync())

    /** A repository whose policy is due just now. */
    async function due(repositoryName: string) {
      await ensureRepository(client, repositoryName)
      const { reader } = metadata
      const { id } = await reader
        .selectFrom('repository')
        .select('id')
        .where('name', '=', repositoryName)
        .executeTakeFirstOrThrow()
      const filled = [...images(Date.now())]
      await fill(metadata, id, filled)
      const put = new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: policy })
      await client.ecr((ecr) => ecr.send(put))
      cluster.moveClock(soonMs)
      const job = () =>
        reader
          .selectFrom('job')
          .selectAll()
          .where('kind', '=', 'lifecycle-run')
          .where('key', '=', `${id}`)
          .executeTakeFirstOrThrow()
      return { reader, id, repositoryName, filled, going: filled.filter(({ goes }) => goes), job }
    }

    test('of two that find a run due one does it', async () => {
      const { going, job, ...repository } = await due('team/app')
      await until(async () => (await job()).state === 'done')
      await requireGone(client, { going, ...repository })
      assert.equal((await job()).attempts, 1)
      const digests = new Set(going.map(({ image }) => image.digest))
      assert.deepEqual(await toldOnce(cluster, repository.repositoryName, digests), digests)
    })

    test('a run that is killed ends as if it had not been', async (t) => {
      const { going, job, ...repository } = await due('team/web')
      const { reader, id, repositoryName } = repository
      // By progress and not by time: a quick machine ends the run within some hundred milliseconds.
      const enough = randomInt(1, Math.floor(going.length / 2))
      while ((await countGone(reader, id)) < enough) await delay(2)
      await cluster.killAll()
      const gone = await countGone(reader, id)
      t.diagnostic(`killed after ${gone} of ${going.length} images`)
      assert.ok(gone < going.length, 'it is killed in the middle')
      cluster.moveClock(soonMs)
      await until(async () => (await job()).state === 'done')
      await requireGone(client, { going, ...repository })
      assert.equal((await job()).attempts, 2)

      // What was done just before a kill need not be told; what was done by those who came last is.
      const since = Date.now() + cluster.aheadMs - soonMs
      const late = reader.selectFrom('deleted_image').select('digest').where('repository_id', '=', id)
      const rows = await late.where('deleted_at', '>=', since).execute()
      assert.ok(rows.length > 0)
      const told = await toldOnce(cluster, repositoryName, new Set(rows.map(({ digest }) => digest)))
      assert.ok(told.isSubsetOf(new Set(going.map(({ image }) => image.digest))))
    })
  }),
)

interface Run {
  readonly reader: Reader
  readonly id: number
  readonly repositoryName: string
  readonly filled: readonly Filled[]
  readonly going: readonly Filled[]
}

/** By every answer, in the recycle bin, and each tag by one move. */
async function requireGone(client: Client, { reader, id, repositoryName, filled, going }: Run): Promise<void> {
  const listed = await client.ecr(async (ecr) => {
    const pages = await Array.fromAsync(paginateListImages({ client: ecr, pageSize: 1_000 }, { repositoryName }))
    return new Set(pages.flatMap(({ imageIds = [] }) => imageIds.map(({ imageDigest }) => imageDigest)))
  })
  assert.deepEqual(listed, new Set(filled.flatMap(({ goes, image }) => (goes ? [] : [image.digest]))))

  const deleted = await reader
    .selectFrom('deleted_image')
    .select(['digest', 'cause', 'tags'])
    .where('repository_id', '=', id)
    .execute()
  assert.deepEqual(
    deleted.map((row) => [row.digest, row.cause, row.tags].join()).sort(),
    going.map(({ image, tags }) => [image.digest, 'lifecycle', JSON.stringify(tags)].join()).sort(),
  )
  const moves = await reader.selectFrom('tag_move').selectAll().where('repository_id', '=', id).execute()
  assert.deepEqual(
    moves.map((move) => [move.tag, move.from_digest, move.to_digest, move.cause, move.moved_by].join()).sort(),
    going.flatMap(({ tags, image }) => tags.map((tag) => [tag, image.digest, null, 'lifecycle', ''].join())).sort(),
  )
}

async function countGone(reader: Reader, id: number): Promise<number> {
  const rows = reader.selectFrom('deleted_image').where('repository_id', '=', id)
  const { count } = await rows.select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow()
  return Number(count)
}

/** What events of the policy tell to have gone, of which none is told twice; as soon as those are all among it. */
async function toldOnce(cluster: Cluster, name: string, awaited: ReadonlySet<string>): Promise<Set<string>> {
  const endpoint = await cluster.url()
  const trail = new CloudTrailClient({ endpoint, region, credentials: rootKey, systemClockOffset: cluster.aheadMs })
  try {
    for (;;) {
      const named = { AttributeKey: 'ResourceName', AttributeValue: name } as const
      const told: string[] = []
      for await (const { Events = [] } of paginateLookupEvents({ client: trail }, { LookupAttributes: [named] })) {
        for (const { EventName, CloudTrailEvent = '' } of Events) {
          if (EventName === 'PolicyExecutionEvent') told.push(...expiredBy(CloudTrailEvent))
        }
      }
      const digests = new Set(told)
      assert.equal(digests.size, told.length)
      if (awaited.isSubsetOf(digests)) return digests
      await delay(100)
    }
  } finally {
    trail.destroy()
  }
}

function expiredBy(event: string): string[] {
  // As `service-events.ts` writes it.
  const { serviceEventDetails } = JSON.parse(event) as {
    serviceEventDetails: { lifecycleEventImageActions: { lifecycleEventImage: { digest: string } }[] }
  }
  return serviceEventDetails.lifecycleEventImageActions.map(({ lifecycleEventImage }) => lifecycleEventImage.digest)
}
