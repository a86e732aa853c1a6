import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerAddress, PeerRegistry } from '#remote/registry.ts'
import { startIamSession } from '#test/support/iam-session.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { findProgram } from '#test/support/run.ts'
import { connectPeer, piecesOf } from '#test/support/upstreams/peer.ts'
import { startCraneRegistry, startDistribution } from '#test/support/upstreams/registries.ts'
import { failure } from '#test/support/upstreams/remote.ts'

const pushed = image({ layers: [300_000, 5] })

async function pushBlob(peer: PeerRegistry, repository: string, { digest, bytes }: (typeof pushed.blobs)[number]) {
  const upload = await peer.startUpload(repository)
  assert.ok(upload !== 'mounted')
  const half = Math.ceil(bytes.byteLength / 2)
  const middle = await peer.append(upload, { body: piecesOf(bytes.subarray(0, half)), sizeBytes: half })
  assert.equal(middle.offset, half)
  const rest = bytes.subarray(half)
  const end = await peer.append(middle, { body: piecesOf(rest), sizeBytes: rest.byteLength })
  assert.equal(end.offset, bytes.byteLength)
  await peer.finish(end, digest)
}

async function pushAll(peer: PeerRegistry, repository: string) {
  for (const blob of pushed.blobs) {
    assert.equal(await peer.hasBlob(repository, blob.digest), false)
    await pushBlob(peer, repository, blob)
    assert.equal(await peer.hasBlob(repository, blob.digest), true)
  }
  await peer.putManifest(repository, pushed.digest, { mediaType: pushed.mediaType, body: pushed.bytes })
  await peer.putManifest(repository, 'v1', { mediaType: pushed.mediaType, body: pushed.bytes })
  assert.deepEqual(Buffer.from((await peer.getManifest(repository, 'v1'))?.body ?? []), Buffer.from(pushed.bytes))
}

const registries = [
  ['docker-registry', () => startDistribution('docker-registry')],
  ['registry', () => startDistribution('registry')],
  ['crane', startCraneRegistry],
] as const

for (const [program, start] of registries) {
  test(`an image is pushed to ${program} in chunks`, { skip: findProgram(program) === undefined }, async () => {
    await using registry = await start()
    await using peer = connectPeer({ url: registry.url, credentials: { kind: 'none' } })
    await pushAll(peer, 'team/app')
    const [blob] = pushed.blobs
    assert.ok(blob)
    // The registry of go-containerregistry does not mount.
    if (program === 'crane') return
    assert.equal(await peer.startUpload('team/other', { mount: { digest: blob.digest, from: 'team/app' } }), 'mounted')
  })
}

test('another Lading is pushed to by its key, and as ECR by PutImage', async () => {
  await using session = await startIamSession()
  const { server } = session
  await using client = await openOciClient(server)
  const repository = await client.createRepository('app')
  const credentials = { kind: 'ecr', account: server.account, region: server.region, key: server.credentials } as const
  const address: PeerAddress = { url: server.url, credentials }
  await using peer = connectPeer(address)
  await pushAll(peer, repository)
  assert.equal(await peer.ecr?.createRepository('app'), 'exists')
  assert.equal(await peer.ecr?.createRepository('fresh'), 'created')
  await peer.ecr?.putImage('app', { ...pushed, body: pushed.bytes, tag: 'v2' })
  await peer.ecr?.putImage('app', { ...pushed, body: pushed.bytes, tag: 'v2' })
  assert.equal((await peer.headManifest('app', 'v2'))?.digest, pushed.digest)
  await assert.rejects(peer.startUpload('absent'), failure('missing'))
  await using other = connectPeer({ ...address, credentials: { ...credentials, account: '999999999999' } })
  await assert.rejects(other.startUpload('app'), failure('forbidden'))
})

test('a broken PATCH goes on at the offset that another Lading has', async () => {
  await using session = await startIamSession()
  const { server } = session
  await using client = await openOciClient(server)
  await client.createRepository('app')
  await using peer = connectPeer({
    url: server.url,
    credentials: { kind: 'ecr', account: server.account, region: server.region, key: server.credentials },
  })
  const large = image({ layers: [4_000_000] }).blobs.at(-1)
  assert.ok(large)
  const upload = await peer.startUpload('app')
  assert.ok(upload !== 'mounted')
  const sizeBytes = large.bytes.byteLength
  await assert.rejects(peer.append(upload, { body: piecesOf(large.bytes, 1_500_000), sizeBytes }), /broken/)
  let found = await peer.findUpload(upload)
  for (let tries = 0; tries < 50 && found?.offset === 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    found = await peer.findUpload(upload)
  }
  assert.ok(found)
  assert.ok(found.offset > 0 && found.offset < sizeBytes, `${found.offset} bytes`)
  const rest = large.bytes.subarray(found.offset)
  const end = await peer.append(found, { body: piecesOf(rest), sizeBytes: rest.byteLength })
  await peer.finish(end, large.digest)
  assert.equal(await peer.hasBlob('app', large.digest), true)
  await assert.rejects(peer.append(upload, { body: piecesOf(rest), sizeBytes: rest.byteLength }), failure('upload'))
  assert.equal(await peer.findUpload(upload), undefined)
})
