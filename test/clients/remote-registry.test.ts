/** The client for other registries, towards Debian's `docker-registry`: bare, and behind the stand-in for Docker Hub. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { createRemotes } from '#remote/remotes.ts'
import { type Image, image, index, manifestsOf } from '#test/support/images/build.ts'
import { findProgram, needs } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { collect, connect } from '#test/support/upstreams/remote.ts'

const demo = 'library/demo'
const root = index({ children: [image({ layers: [200_000] })] })

test('docker-registry is read, bare and behind tokens and a CDN', needs('docker-registry'), async () => {
  await using registry = await startDockerRegistry()
  await push(registry.url, root)
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

async function startDockerRegistry() {
  const folder = await temporaryFolder()
  const port = await freePort()
  const config = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${folder.path}/blobs}}\nhttp: {addr: '127.0.0.1:${port}'}\n`
  await writeFile(`${folder.path}/config.yml`, config)
  const child = spawn(findProgram('docker-registry') ?? '', ['serve', `${folder.path}/config.yml`], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  await until(() =>
    fetch(`${url}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function push(url: string, of: Image): Promise<void> {
  for (const { mediaType, digest, bytes, blobs } of manifestsOf(of)) {
    for (const blob of blobs) {
      const { headers } = await fetch(`${url}/v2/${demo}/blobs/uploads/`, { method: 'POST' })
      const place = new URL(headers.get('location') ?? '')
      place.searchParams.set('digest', blob.digest)
      assert.equal((await fetch(place, { method: 'PUT', body: new Uint8Array(blob.bytes) })).status, 201)
    }
    for (const reference of digest === of.digest ? [digest, 'latest'] : [digest]) {
      const put = { method: 'PUT', headers: { 'content-type': mediaType }, body: new Uint8Array(bytes) }
      assert.equal((await fetch(`${url}/v2/${demo}/manifests/${reference}`, put)).status, 201)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return address.port
}
