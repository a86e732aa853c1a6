/**
 * Servers are killed with SIGKILL while they fetch from an upstream, at moments that no fetch can choose. No client completes a body that
 * is wrong, and in the end all is cached and nothing is left over. `LADING_TEST_FETCH_KILLS` is another number of kills.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { type Image, image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { pullWhole, type Registry, request } from '#test/support/push.ts'
import { until } from '#test/support/until.ts'
import { type CacheProcesses, startCacheProcesses } from '#test/support/upstreams/cache-processes.ts'
import { type Hub, startHub } from '#test/support/upstreams/hub.ts'
import { requireClean } from './settled.ts'

const kills = Number(process.env.LADING_TEST_FETCH_KILLS ?? 5)
const layerBytes = 6_000_000
const name = 'library/kills'

/** Pulls a blob from a server that may be killed meanwhile. What completes has the digest. */
async function pullUntilKilled(registry: Registry, tag: string, { blobs }: Image): Promise<'whole' | 'broken'> {
  try {
    const manifest = await request(registry, `/v2/hub/${name}/manifests/${tag}`)
    await manifest.arrayBuffer()
    if (manifest.status !== 200) return 'broken'
    for (const blob of blobs) {
      const answer = await request(registry, `/v2/hub/${name}/blobs/${blob.digest}`)
      const bytes = Buffer.from(await answer.arrayBuffer())
      if (answer.status !== 200) return 'broken'
      assert.equal(digest(bytes), blob.digest, 'a body that completes is right')
    }
    return 'whole'
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    return 'broken'
  }
}

/** Bytes of the largest blob that the CDN has sent so far. */
function sentOf({ log }: Hub, { blobs }: Image): number {
  const layer = blobs.at(-1)?.digest
  return log.requests.reduce(
    (sum, each) => (each.at === 'cdn' && each.reference === layer ? sum + each.sentBytes : sum),
    0,
  )
}

async function servers(hub: Hub, databases: Databases, count: number): Promise<[CacheProcesses, string]> {
  const database = await databases.url()
  return [await startCacheProcesses(hub, { count, database }), database]
}

eachDatabase((databases) => {
  test(`after ${kills} kills in mid-fetch all is cached and nothing is left over, on ${databases.dialect}`, async (t) => {
    await using hub = await startHub({ cdnBytesPerSecond: 6_000_000 })
    const [lading, database] = await servers(hub, databases, 2)
    await using _ = lading
    const images = Array.from({ length: kills }, (_, at) => image({ seed: `kills/${at}`, layers: [layerBytes] }))
    const outcomes = { whole: 0, broken: 0, resumed: 0 }
    for (const [at, pulled] of images.entries()) {
      const tag = `v${at}`
      hub.content.push(name, pulled, tag)
      const members = lading.running
      const pulls = Array.from({ length: 4 }, (_, each) =>
        pullUntilKilled(members[each % members.length] ?? assert.fail(), tag, pulled),
      )
      await until(() => sentOf(hub, pulled) > 0)
      await delay(randomInt(0, 900))
      // Now and then both.
      const victims = at % 3 === 2 ? members : [members[randomInt(members.length)] ?? assert.fail()]
      await Promise.all(victims.map((each) => each.end('SIGKILL')))
      for (const outcome of await Promise.all(pulls)) outcomes[outcome] += 1
      while (lading.running.length < 2) await lading.start()
      for (const registry of lading.running) await pullWhole(registry, `hub/${name}`, tag)
      const [, ...again] = hub.log.requests.filter(
        (each) => each.at === 'cdn' && each.reference === pulled.blobs.at(-1)?.digest,
      )
      outcomes.resumed += again.filter(({ headers }) => headers.range !== undefined).length
    }
    t.diagnostic(`${outcomes.whole} pulls completed, ${outcomes.broken} broke, ${outcomes.resumed} fetches resumed`)

    const metadata = await databases.open(t, database)
    const countLeft = async () => {
      const { reader } = metadata
      const rows = await Promise.all([
        reader.selectFrom('upload').select('id').execute(),
        reader.selectFrom('incoming_blob').select('upload').execute(),
        reader.selectFrom('pending_manifest').select('digest').execute(),
      ])
      return rows.flat().length
    }
    await until(async () => (await countLeft()) === 0)
    hub.behaviour.down = true
    for (const registry of lading.running) {
      for (const at of images.keys()) await pullWhole(registry, `hub/${name}`, `v${at}`)
    }
    await requireClean(metadata, `${lading.dataFolder}/blobs`)
  })

  test(`a stop in mid-fetch keeps the bytes, and the next process resumes, on ${databases.dialect}`, async () => {
    await using hub = await startHub({ cdnBytesPerSecond: 3_000_000 })
    const [lading] = await servers(hub, databases, 1)
    await using _ = lading
    const pulled = image({ seed: 'stop', layers: [layerBytes] })
    hub.content.push(name, pulled, 'v1')
    const [stopped = assert.fail()] = lading.running
    const leaving = new AbortController()
    const layer = pulled.blobs.at(-1)?.digest
    await (await request(stopped, `/v2/hub/${name}/manifests/v1`)).arrayBuffer()
    const path = `/v2/hub/${name}/blobs/${layer}`
    const left = request(stopped, path, { signal: leaving.signal }).then((answer) => answer.arrayBuffer())
    await until(() => sentOf(hub, pulled) > layerBytes / 4)
    // A stop waits for answers, but not for a fetch that no client reads.
    leaving.abort()
    await assert.rejects(left)
    await stopped.end('SIGTERM')
    const next = await lading.start()
    await pullWhole(next, `hub/${name}`, 'v1')
    const [, ...resumed] = hub.log.requests.filter((each) => each.at === 'cdn' && each.reference === layer)
    const starts = resumed.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0))
    assert.equal(starts.length, 1)
    assert.ok((starts[0] ?? 0) > layerBytes / 8, `the second fetch starts at byte ${starts[0]}`)
  })
})
