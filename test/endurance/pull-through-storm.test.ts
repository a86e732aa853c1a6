/**
 * Many clients pull an image that is not cached, at once, over two processes, from an upstream with a slow CDN. The upstream sees one
 * client, and the clients wait about as long as one direct pull takes. `LADING_TEST_STORM=full`: a hundred clients, a layer of 300 MB.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { type Image, image, type Layer } from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { pullWhole } from '#test/support/push.ts'
import { startCacheProcesses } from '#test/support/upstreams/cache-processes.ts'
import { pullDirectly } from '#test/support/upstreams/direct-pull.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { pullAtOnce } from '#test/support/upstreams/storm-clients.ts'

const full = process.env.LADING_TEST_STORM === 'full'
const clients = full ? 100 : 40
const layerBytes = full ? 300_000_000 : 60_000_000
const cdnBytesPerSecond = 10_000_000
/** The slowest client, against one pull from the upstream over the same link. */
const mostTimes = 1.3
const mostResidentMb = 300

const name = 'library/storm'

/** Noise that is no archive, since no client unpacks it. */
function stormImage(): Image {
  const bytes = noise('storm', layerBytes)
  const layer: Layer = { bytes, diffId: digest(bytes) }
  return image({ layers: [layer] })
}

async function peakMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6
}

/** The processes that serve: the children of one with workers, or itself. */
async function servingPids(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')
  const pids = children.split(' ').filter((each) => each !== '')
  return pids.length === 0 ? [pid] : pids.map(Number)
}

const arrangements = {
  'two processes': { count: 2, flags: [] },
  'one process with two workers': { count: 1, flags: ['--workers', '2'] },
} as const satisfies Record<string, { count: number; flags: readonly string[] }>

eachDatabase((databases: Databases) => {
  for (const [arrangement, { count, flags }] of Object.entries(arrangements)) {
    test(`${clients} clients at once are one to the upstream, with ${arrangement} on ${databases.dialect}`, async (t) => {
      await using hub = await startHub({ cdnBytesPerSecond })
      const pulled = stormImage()
      hub.content.push(name, pulled, 'latest')
      await using lading = await startCacheProcesses(hub, { count, flags, database: await databases.url() })
      const directSeconds = await pullDirectly(hub, name, pulled)
      hub.log.clear()

      const paths = ['manifests/latest', ...pulled.blobs.map((blob) => `blobs/${blob.digest}`)]
      const { seconds, bytes } = await pullAtOnce({
        ...{ clients, ports: lading.running.map(({ port }) => port) },
        authorization: lading.running[0]?.authorization ?? '',
        paths: paths.map((path) => `/v2/hub/${name}/${path}`),
      }).catch((error: Error) => {
        throw new Error(lading.running.map(({ process }) => process.errors()).join('') || error.message, {
          cause: error,
        })
      })
      const expected = pulled.bytes.byteLength + pulled.blobs.reduce((sum, blob) => sum + blob.bytes.byteLength, 0)
      assert.deepEqual(new Set(bytes), new Set([expected]), 'each client gets the whole image')

      for (const blob of pulled.blobs) {
        assert.equal(hub.log.count({ at: 'cdn', reference: blob.digest }), 1, 'one GET of each blob')
        assert.equal(hub.log.count({ at: 'registry', kind: 'blobs', reference: blob.digest, status: 307 }), 1)
      }
      assert.equal(hub.log.count({ kind: 'manifests', method: 'GET', status: 200 }), 1, 'one GET of the manifest')
      assert.ok(hub.log.count({ at: 'token' }) <= 1, 'one token for the one scope')

      const pids = (await Promise.all(lading.running.map(({ process }) => servingPids(process.pid)))).flat()
      const peaks = await Promise.all(pids.map(peakMb))
      const slowest = Math.max(...seconds)
      const times = slowest / directSeconds
      t.diagnostic(
        `direct ${directSeconds.toFixed(1)} s, slowest ${slowest.toFixed(1)} s (${times.toFixed(2)} times), ` +
          `peaks ${peaks.map((peak) => peak.toFixed(0)).join(' and ')} MB`,
      )
      assert.ok(pids.length === 2 && peaks.every((peak) => peak < mostResidentMb), `peaks of ${peaks.join(' and ')} MB`)
      assert.ok(times <= mostTimes, `the slowest client needs ${times.toFixed(2)} times a direct pull`)

      hub.behaviour.down = true
      for (const registry of lading.running) await pullWhole(registry, `hub/${name}`, 'latest')
    })
  }
})
