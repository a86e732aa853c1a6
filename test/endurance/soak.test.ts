/**
 * Retention while everything goes on: pushers who share layers, pullers, deleters, lifecycle policies, garbage collection, and two
 * server processes that are killed at any moment, over more than two hours of a clock that the test moves. `LADING_TEST_SOAK_SECONDS`
 * is how long that takes by this machine's clock, for each database.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DescribeRepositoriesCommand, ListImagesCommand } from '@aws-sdk/client-ecr'
import { openMetadata } from '#metadata/open.ts'
import { createClient, ensureRepository } from '#test/support/cluster/client.ts'
import { type Cluster, startCluster } from '#test/support/cluster/cluster.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { deleter, forgetful, policyMaker, pull, puller, pusher, type World } from './actors.ts'
import { countLeft, requireClean } from './settled.ts'

const seconds = Number(process.env.LADING_TEST_SOAK_SECONDS ?? 20)
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const soakMs = 152 * minuteMs
/** Less than the five minutes by which a signature may be late. */
const stepMs = 4 * minuteMs
const rootKey = { accessKeyId: 'AKIASOAKSOAKSOAKSOAK', secretAccessKey: 'soak-secret-soak-secret-soak-secret-soak' }

eachDatabase((databases) =>
  test(`after a soak on ${databases.dialect}, every image is whole and no byte is left over`, async (t) => {
    await using folder = await temporaryFolder()
    const database = await databases.url()
    await using cluster = await startCluster(2, {
      LADING_LISTEN: '127.0.0.1:0',
      LADING_DATA_DIR: folder.path,
      LADING_DATABASE: database,
      LADING_GC_GRACE_HOURS: '1',
      LADING_UPLOAD_EXPIRY_HOURS: '1',
      LADING_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
      LADING_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
    })
    const regions = ['us-east-1', 'eu-west-1']
    const clients = regions.map((region) => createClient(cluster, region, rootKey))
    const repositories = ['app', 'team/web', 'team/job']
    for (const client of clients) for (const name of repositories) await ensureRepository(client, name)

    const counts = new Map<string, number>()
    const ending = new AbortController()
    const world: World = {
      clients,
      repositories,
      epoch: () => Math.floor(cluster.aheadMs / (30 * minuteMs)),
      signal: ending.signal,
      count: (what) => void counts.set(what, (counts.get(what) ?? 0) + 1),
    }
    const actors = [...Array(8).fill(pusher), ...Array(3).fill(puller), deleter, deleter, policyMaker, forgetful]
    const acting = actors.map((actor, who) =>
      actor(world, who).catch((error: unknown) => {
        ending.abort()
        throw error
      }),
    )
    const chaos = [killing(cluster, world), movingClock(cluster, ending)]
    const ended = await Promise.allSettled([...acting, ...chaos])
    for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason
    t.diagnostic(JSON.stringify(Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))))

    const metadata = await openMetadata(database, () => {})
    t.after(() => metadata.close())
    await settle(cluster, () => countLeft(metadata, Date.now() + cluster.aheadMs))
    const images = await pullAll(cluster, regions)
    const { blobs, bytes } = await requireClean(metadata, join(folder.path, 'blobs'))
    t.diagnostic(`${images} images with ${blobs} blobs of ${bytes} bytes are left, all whole`)
    assert.ok(images > 0 && (counts.get('push: pushed') ?? 0) > images, 'something was pushed, and something went')
  }),
)

async function killing(cluster: Cluster, { signal, count }: World): Promise<void> {
  while (!signal.aborted) {
    await delay(randomInt(500, 4_000))
    if (signal.aborted) return
    await cluster.killOne()
    count('kill')
  }
}

/** Through the soak in equal steps, each of which takes its share of the time that it may take. */
async function movingClock(cluster: Cluster, ending: AbortController): Promise<void> {
  const steps = soakMs / stepMs
  for (let step = 0; step < steps && !ending.signal.aborted; step++) {
    await delay((seconds * 1_000) / steps)
    cluster.moveClock(stepMs)
  }
  ending.abort()
}

/** A day after the other, until nothing is left to do: what was deleted goes for good after a week, uploads and garbage before. */
async function settle(cluster: Cluster, countLeft: () => Promise<Record<string, number>>): Promise<void> {
  const deadline = Date.now() + 90_000
  let left: Record<string, number> = {}
  for (let day = 0; day < 12 || Object.values(left).some((count) => count > 0); day++) {
    cluster.moveClock(24 * hourMs)
    do {
      assert.ok(Date.now() < deadline, `after ${day} days this is left: ${JSON.stringify(left)}\n${cluster.log()}`)
      await delay(300)
      left = await countLeft()
    } while (left.jobs !== 0)
  }
}

/** Pulls every image that a list shows, and answers how many there are. */
async function pullAll(cluster: Cluster, regions: readonly string[]): Promise<number> {
  let count = 0
  for (const region of regions) {
    const client = createClient(cluster, region, rootKey)
    const { repositories = [] } = await client.ecr((ecr) => ecr.send(new DescribeRepositoriesCommand({})))
    for (const { repositoryName = '' } of repositories) {
      const list = new ListImagesCommand({ repositoryName, maxResults: 1_000 })
      const { imageIds = [] } = await client.ecr((ecr) => ecr.send(list))
      for (const reference of new Set(imageIds.flatMap(({ imageTag, imageDigest }) => [imageTag, imageDigest]))) {
        if (reference === undefined) continue
        assert.equal(await client.oci((registry) => pull(registry, repositoryName, reference)), 'whole')
        count++
      }
    }
  }
  return count
}
