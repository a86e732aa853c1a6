/** Pushing to registries of others, and to another Lading by the distribution API and as ECR. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '#lib/clock.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { createPeerRemotes } from '#remote/peers.ts'
import { type PeerRegistry, type RemoteCredentials, RemoteFailure, type RemoteUpload } from '#remote/registry.ts'
import {
  artifact,
  type Blob,
  blob,
  type Image,
  image,
  index,
  manifestsOf,
  mediaTypes,
} from '#test/support/images/build.ts'
import { startServer } from '#test/support/server.ts'
import { startCraneRegistry, startDistribution } from '#test/support/upstreams/registries.ts'
import { collect, failure } from '#test/support/upstreams/remote.ts'

interface Opened extends AsyncDisposable {
  readonly peer: PeerRegistry
}

async function open(
  running: AsyncDisposable & { url: string },
  credentials: RemoteCredentials = { kind: 'none' },
): Promise<Opened> {
  const remotes = createPeerRemotes({ clock: systemClock, silenceMs: 5_000 })
  return {
    peer: remotes.connect({ url: running.url, credentials }),
    async [Symbol.asyncDispose]() {
      await remotes[Symbol.asyncDispose]()
      await running[Symbol.asyncDispose]()
    },
  }
}

async function openLading(): Promise<Opened> {
  const server = await startServer()
  const { account, region, credentials: key } = server
  const opened = await open(server, { kind: 'ecr', account, region, key })
  await opened.peer.ecr?.createRepository('team/app')
  await opened.peer.ecr?.createRepository('team/other')
  return opened
}

const registries: Readonly<Record<string, () => Promise<Opened>>> = {
  'Distribution 2.8': async () => open(await startDistribution('docker-registry')),
  'go-containerregistry': async () => open(await startCraneRegistry()),
  Lading: openLading,
}

async function* parts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const repository = 'team/app'
const digestOf = ({ digest }: Blob | Image): Digest => parseDigest(digest)

async function pushBlob(peer: PeerRegistry, name: string, { digest, bytes }: Blob): Promise<void> {
  const begun = await peer.startUpload(name)
  assert(begun !== 'mounted')
  const sent = await peer.append(begun, { body: parts(bytes, 100_000), sizeBytes: bytes.length })
  assert.equal(sent.offset, bytes.length)
  await peer.finish(sent, parseDigest(digest))
}

/** Sends the rest of what broke, or starts over. A registry may still write what it received before. */
async function goOn(peer: PeerRegistry, broken: RemoteUpload, bytes: Uint8Array): Promise<RemoteUpload> {
  for (let tries = 1; ; tries++) {
    const found = (await peer.findUpload(broken)) ?? (await peer.startUpload(repository))
    assert(found !== 'mounted')
    const body = parts(bytes.subarray(found.offset), 65_536)
    try {
      return await peer.append(found, { body, sizeBytes: bytes.length - found.offset })
    } catch (error) {
      if (tries === 20 || !(error instanceof RemoteFailure) || error.reason !== 'upload') throw error
      await delay(50)
    }
  }
}

async function push(peer: PeerRegistry, name: string, root: Image, tag: string): Promise<void> {
  for (const manifest of manifestsOf(root)) {
    for (const each of manifest.blobs) if (!(await peer.hasBlob(name, digestOf(each)))) await pushBlob(peer, name, each)
    const { mediaType, bytes: body, digest } = manifest
    await peer.putManifest(name, digest, { mediaType, body })
    if (manifest === root) await peer.putManifest(name, tag, { mediaType, body })
  }
}

for (const [name, start] of Object.entries(registries)) {
  describe(`pushing to ${name}`, () => {
    test('an index with its children arrives byte for byte', async () => {
      await using opened = await start()
      const { peer } = opened
      const root = index({ children: [image(), image({ layers: [300_000] })] })
      const [first] = root.children[0]?.blobs ?? []
      assert(first)
      assert.equal(await peer.hasBlob(repository, digestOf(first)), false)
      await push(peer, repository, root, 'v1')
      assert.equal(await peer.hasBlob(repository, digestOf(first)), true)
      const read = await peer.getManifest(repository, 'v1')
      assert.deepEqual([read?.digest, read?.mediaType, read?.body], [root.digest, root.mediaType, root.bytes])
      for (const child of root.children) {
        for (const each of child.blobs) {
          const opened = await peer.openBlob(repository, digestOf(each), { offset: 0 })
          assert(opened)
          assert.deepEqual(await collect(opened.body), each.bytes)
        }
      }
    })

    test('a blob in chunks goes on at the offset that the registry has', async () => {
      await using opened = await start()
      const { peer } = opened
      const { bytes, digest } = blob(mediaTypes.oci.layer, Buffer.alloc(3_000_000, 'lading'))
      const begun = await peer.startUpload(repository)
      assert(begun !== 'mounted')
      const first = await peer.append(begun, {
        body: parts(bytes.subarray(0, 1_000_000), 65_536),
        sizeBytes: 1_000_000,
      })
      assert.equal(first.offset, 1_000_000)
      const found = await peer.findUpload(first)
      if (found !== undefined) assert.equal(found.offset, 1_000_000)
      else assert.equal(name, 'go-containerregistry')
      await peer.finish(await goOn(peer, first, bytes), parseDigest(digest))
      assert.equal(await peer.hasBlob(repository, parseDigest(digest)), true)
    })

    test('a chunk that its sender breaks off leaves an upload that goes on', async () => {
      await using opened = await start()
      const { peer } = opened
      const { bytes, digest } = blob(mediaTypes.oci.layer, Buffer.alloc(2_000_000, 'broken'))
      const begun = await peer.startUpload(repository)
      assert(begun !== 'mounted')
      const kept = await peer.append(begun, { body: parts(bytes.subarray(0, 500_000), 65_536), sizeBytes: 500_000 })
      const abort = new AbortController()
      async function* breaking() {
        yield bytes.subarray(500_000, 700_000)
        abort.abort(new Error('broken off'))
      }
      const broken = peer.append(kept, { body: breaking(), sizeBytes: 1_500_000 }, { signal: abort.signal })
      await assert.rejects(broken, /broken off/)
      await peer.finish(await goOn(peer, kept, bytes), parseDigest(digest))
      assert.equal(await peer.hasBlob(repository, parseDigest(digest)), true)
    })

    test('a blob of one byte arrives', async () => {
      await using opened = await start()
      const { peer } = opened
      const one = blob(mediaTypes.oci.layer, Buffer.from('1'))
      await pushBlob(peer, repository, one)
      assert.equal(await peer.hasBlob(repository, digestOf(one)), true)
    })

    test('content with another digest is refused', async () => {
      await using opened = await start()
      const { peer } = opened
      const [one, other] = [Buffer.from('one'), Buffer.from('other')].map((bytes) => blob(mediaTypes.oci.layer, bytes))
      assert(one && other)
      const begun = await peer.startUpload(repository)
      assert(begun !== 'mounted')
      const sent = await peer.append(begun, { body: parts(one.bytes, 10), sizeBytes: one.bytes.length })
      await assert.rejects(peer.finish(sent, digestOf(other)), failure('invalid'))
    })

    test('a referrer arrives with its subject', async () => {
      await using opened = await start()
      const { peer } = opened
      const subject = image()
      const signature = artifact({ subject, artifactType: 'application/vnd.example.signature' })
      await push(peer, repository, subject, 'v1')
      await push(peer, repository, signature, 'signature')
      assert.deepEqual((await peer.getManifest(repository, 'signature'))?.body, signature.bytes)
    })
  })
}

describe('pushing to a registry that mounts', () => {
  test('Distribution mounts a blob of another repository, and begins an upload where it cannot', async () => {
    await using opened = await open(await startDistribution('docker-registry'))
    const { peer } = opened
    const [layer] = image().blobs
    assert(layer)
    await pushBlob(peer, repository, layer)
    const mount = { digest: digestOf(layer), from: repository }
    assert.equal(await peer.startUpload('team/other', { mount }), 'mounted')
    assert.equal(await peer.hasBlob('team/other', digestOf(layer)), true)
    const absent = { digest: parseDigest(`sha256:${'0'.repeat(64)}`), from: repository }
    assert.notEqual(await peer.startUpload('team/other', { mount: absent }), 'mounted')
  })
})

describe('the ECR API of a peer', () => {
  test('a repository is created once, and an image is put once', async () => {
    await using opened = await openLading()
    const { peer } = opened
    const calls = peer.ecr
    assert(calls)
    assert.equal(await calls.createRepository('team/new'), 'created')
    assert.equal(await calls.createRepository('team/new'), 'exists')
    const one = image()
    for (const each of one.blobs) await pushBlob(peer, 'team/new', each)
    const put = { digest: digestOf(one), mediaType: one.mediaType, body: one.bytes, tag: 'v1' }
    await calls.putImage('team/new', put)
    await calls.putImage('team/new', put)
    assert.equal((await peer.headManifest('team/new', 'v1'))?.digest, one.digest)
    await assert.rejects(calls.putImage('team/absent', put), failure('missing'))
  })

  test('what is refused has its reason, and what the peer said', async () => {
    await using opened = await openLading()
    const { peer } = opened
    const { mediaType, bytes: body, digest } = image()
    await assert.rejects(peer.startUpload('team/absent'), failure('missing'))
    await assert.rejects(peer.putManifest(repository, digest, { mediaType, body }), (error: Error) => {
      assert(failure('invalid')(error as never))
      return 'said' in error && /BLOB_UNKNOWN/.test(JSON.stringify(error.said))
    })
    const gone = { repository, location: new URL('/v2/team/app/blobs/uploads/none', 'http://x').href, offset: 0 }
    await assert.rejects(peer.findUpload(gone), failure('blocked'))
  })

  test('wrong keys are refused', async () => {
    const server = await startServer()
    const { account, region, credentials } = server
    const key = { ...credentials, secretAccessKey: 'x'.repeat(40) }
    await using opened = await open(server, { kind: 'ecr', account, region, key })
    await assert.rejects(
      opened.peer.hasBlob(repository, parseDigest(`sha256:${'0'.repeat(64)}`)),
      failure('unauthorized'),
    )
    await assert.rejects(opened.peer.ecr?.createRepository('team/x') ?? Promise.resolve(), failure('unauthorized'))
  })
})
