/** The client for other registries, towards Debian's `docker-registry`: bare, and behind the stand-in for Docker Hub. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { createRemotes } from '#remote/remotes.ts'
import { image, index, manifestsOf } from '#test/support/images/build.ts'
import { needs } from '#test/support/run.ts'
import { fill } from '#test/support/upstreams/fill.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'
import { collect, connect } from '#test/support/upstreams/remote.ts'

const demo = 'library/demo'
const root = index({ children: [image({ layers: [200_000] })] })

test('docker-registry is read, bare and behind tokens and a CDN', needs('docker-registry'), async () => {
  await using registry = await startDistribution('docker-registry')
  await fill(registry, demo, root, 'latest')
  await using hub = await startHub({ registry: registry.url })
  const { host } = new URL(registry.url)
  await using remotes = createRemotes({ hosts: [{ host, url: undefined }], isKnown: () => false, clock: systemClock })
  await using behind = connect(hub)

  for (const remote of [remotes.connect(host, { kind: 'none' }), behind]) {
    await remote.check()
    assert.equal((await remote.headManifest(demo, 'latest'))?.digest, root.digest)
    for (const { digest, bytes, blobs } of manifestsOf(root)) {
      assert.deepEqual((await remote.getManifest(demo, digest))?.body, bytes)
      for (const blob of blobs) {
        const opened = await remote.openBlob(demo, blob.digest, { offset: 10 })
        assert.ok(opened)
        assert.deepEqual(await collect(opened.body), blob.bytes.subarray(10))
      }
    }
    assert.deepEqual(await remote.listReferrers(demo, root.digest), [])
    assert.equal(await remote.getManifest(demo, 'missing'), undefined)
  }
})
