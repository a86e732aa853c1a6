/** Pushes to registries that ask for a login, by a private authority, and with a role. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseDigest } from '#names/digest.ts'
import type { PeerRegistry } from '#remote/registry.ts'
import { privatelySigned } from '#test/fixtures/tls/private-ca/pair.ts'
import { startIamSession } from '#test/support/iam-session.ts'
import { blob, type Image, image, mediaTypes } from '#test/support/images/build.ts'
import { startTokenServer, tokenUser } from '#test/support/peers/token-server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startTlsFront } from '#test/support/tls-front.ts'
import { connectPeer, piecesOf } from '#test/support/upstreams/peer.ts'
import { startCraneRegistry, startDistribution } from '#test/support/upstreams/registries.ts'
import { failure } from '#test/support/upstreams/remote.ts'

const pushed = image({ layers: [300_000] })
const basic = { kind: 'basic', ...tokenUser } as const
const wrong = { ...basic, password: 'wrong' }

async function pushBlob(peer: PeerRegistry, name: string, { digest, bytes }: Pick<Image, 'digest' | 'bytes'>) {
  const begun = await peer.startUpload(name)
  assert(begun !== 'mounted')
  const sent = await peer.append(begun, { body: piecesOf(bytes), sizeBytes: bytes.byteLength })
  await peer.finish(sent, parseDigest(digest))
  assert.equal(await peer.hasBlob(name, parseDigest(digest)), true)
}

async function push(peer: PeerRegistry, name: string) {
  for (const each of pushed.blobs) await pushBlob(peer, name, each)
  await peer.putManifest(name, 'v1', { mediaType: pushed.mediaType, body: pushed.bytes })
  assert.equal((await peer.headManifest(name, 'v1'))?.digest, pushed.digest)
}

test('Distribution with a file of users', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'users')
  // The password of `tokenUser`, as htpasswd writes it.
  await writeFile(path, 'pusher:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n')
  await using registry = await startDistribution('docker-registry', { auth: { htpasswd: { realm: 'test', path } } })
  await using peer = connectPeer({ url: registry.url, credentials: basic })
  await push(peer, 'team/app')
  await using other = connectPeer({ url: registry.url, credentials: wrong })
  await assert.rejects(other.startUpload('team/app'), failure('unauthorized'))
})

test('Distribution with a token server at the same host, which also mounts', async () => {
  await using tokens = await startTokenServer()
  await using registry = await startDistribution('docker-registry', { auth: tokens.auth })
  await using peer = connectPeer({ url: registry.url, credentials: basic })
  await push(peer, 'team/app')
  const [first] = pushed.blobs
  assert(first)
  const mount = { digest: parseDigest(first.digest), from: 'team/app' }
  assert.equal(await peer.startUpload('team/other', { mount }), 'mounted')
  const scopes = new Set(
    tokens.requests.map((line) => new URL(line.slice(4), tokens.url).searchParams.getAll('scope').join(' ')),
  )
  assert.deepEqual(
    [...scopes],
    [
      'repository:team/app:pull,push',
      'repository:team/app:pull',
      'repository:team/other:pull,push repository:team/app:pull',
    ],
  )
  await using other = connectPeer({ url: registry.url, credentials: wrong })
  await assert.rejects(other.startUpload('team/app'), failure('unauthorized'))
})

test('a peer with a certificate of a private authority is trusted by that peer alone', async () => {
  await using registry = await startDistribution('docker-registry')
  await using front = await startTlsFront({ host: new URL(registry.url).host, pair: privatelySigned })
  const address = { url: front.url, credentials: { kind: 'none' } } as const
  await using peer = connectPeer({ ...address, certificates: [privatelySigned.authority] })
  // Distribution names http in its locations, since the front ends TLS.
  await push(peer, 'team/app')
  await using other = connectPeer(address)
  await assert.rejects(other.startUpload('team/app'), failure('unreachable', /certificate is not trusted/))
})

test('a blob of 64 MiB, in chunks, without its size in memory', async () => {
  await using registry = await startCraneRegistry()
  await using peer = connectPeer({ url: registry.url, credentials: { kind: 'none' } })
  const large = blob(mediaTypes.oci.layer, Buffer.alloc(64 * 1024 * 1024, 'large'))
  const begun = await peer.startUpload('team/app')
  assert(begun !== 'mounted')
  const chunkBytes = 16 * 1024 * 1024
  const before = process.memoryUsage().arrayBuffers
  let upload = begun
  let most = 0
  while (upload.offset < large.bytes.byteLength) {
    const chunk = large.bytes.subarray(upload.offset, upload.offset + chunkBytes)
    upload = await peer.append(upload, { body: piecesOf(chunk), sizeBytes: chunk.byteLength })
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  await peer.finish(upload, parseDigest(large.digest))
  assert.equal(await peer.hasBlob('team/app', parseDigest(large.digest)), true)
  assert.ok(most < chunkBytes, `${most} bytes more`)
})

test('another Lading is pushed to with a role that its STS knows', async () => {
  await using session = await startIamSession()
  const { server, iam } = session
  const { account, region } = server
  const statement = (rest: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...rest }] })
  const trust = statement({ Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' })
  const { Role } = await iam.createRole({ RoleName: 'replicator', AssumeRolePolicyDocument: trust })
  await iam.putRolePolicy({
    ...{ RoleName: 'replicator', PolicyName: 'push' },
    PolicyDocument: statement({ Action: 'ecr:*', Resource: '*' }),
  })
  const user = { UserName: 'sender' }
  await iam.createUser(user)
  const { AccessKey } = await iam.createAccessKey(user)
  const key = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  const credentials = { kind: 'ecr', account, region, key, roleArn: Role?.Arn ?? '' } as const
  await using early = connectPeer({ url: server.url, credentials })
  await assert.rejects(early.startUpload('team/app'), failure('unauthorized', /STS refuses/))
  await iam.putUserPolicy({
    ...{ ...user, PolicyName: 'assume' },
    PolicyDocument: statement({ Action: 'sts:AssumeRole', Resource: Role?.Arn }),
  })
  await using peer = connectPeer({ url: server.url, credentials, sourceAccount: account })
  assert.equal(await peer.ecr?.createRepository('team/app'), 'created')
  await push(peer, 'team/app')
  await using other = connectPeer({ url: server.url, credentials, sourceAccount: '222222222222' })
  await assert.rejects(other.startUpload('team/app'), failure('forbidden', /the role is one of account/))
})
