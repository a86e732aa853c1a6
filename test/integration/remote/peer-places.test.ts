/** Where a peer may send its client: uploads, redirects and token servers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { PeerAddress } from '#remote/registry.ts'
import { privatelySigned } from '#test/fixtures/tls/private-ca/pair.ts'
import { type Script, type ScriptedRequest, startScriptedPeer } from '#test/support/peers/scripted-peer.ts'
import { startTunnel } from '#test/support/peers/tunnel.ts'
import { connectPeer, piecesOf } from '#test/support/upstreams/peer.ts'
import { failure } from '#test/support/upstreams/remote.ts'

const digest: Digest = parseDigest(`sha256:${'1'.repeat(64)}`)
const none = { kind: 'none' } as const
const certificates = [privatelySigned.authority]

/** A peer with HTTPS at a public name, and other public names, all of which one server has. */
async function openPublic(script: Script, address: Partial<PeerAddress> = {}) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startScriptedPeer(script, { tls: true }))
  const tunnel = stack.use(await startTunnel(server.url))
  const named = { url: 'https://registry.example.com', credentials: none, certificates, ...address }
  const proxies = { httpsProxy: tunnel.url, httpProxy: tunnel.url, noProxy: '' }
  const peer = stack.use(connectPeer(named, { proxies }))
  const owned = stack.move()
  return { peer, hosts: tunnel.hosts, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const startingAt =
  (location: string, seen: ScriptedRequest[] = []): Script =>
  (request) => {
    seen.push(request)
    const { method, url } = request
    return method === 'PUT'
      ? { status: 201 }
      : { status: 202, headers: { location: method === 'POST' ? location : url.href } }
  }

for (const location of ['http://registry.example.com/u/1', 'http://registry.example.com:443/u/1', '/u/1']) {
  test(`an upload at ${location} is asked for by the scheme of the peer`, async () => {
    await using open = await openPublic(startingAt(location))
    const upload = await open.peer.startUpload('app')
    assert(upload !== 'mounted')
    assert.equal(upload.location, 'https://registry.example.com/u/1')
    await open.peer.finish(upload, digest)
  })
}

test('an upload at another public host is open to Amazon ECR, without credentials', async () => {
  const seen: ScriptedRequest[] = []
  const script: Script = (request, response) => {
    const { url, headers } = request
    if (headers.authorization === undefined && headers.host === 'registry.example.com') {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
    }
    if (headers.host === 'uploads.example.com') seen.push(request)
    return startingAt('https://uploads.example.com/u/1?signature=a%2Fb')(
      { ...request, url: new URL(url.pathname + url.search, 'https://uploads.example.com') },
      response,
    )
  }
  const credentials = { kind: 'basic', username: 'AWS', password: 'secret' } as const
  const headers = { 'lading-source-region': 'eu-north-1' }
  await using open = await openPublic(script, { credentials, headers, mayRedirect: true })
  const upload = await open.peer.startUpload('app')
  assert(upload !== 'mounted')
  const sent = await open.peer.append(upload, { body: piecesOf(Buffer.alloc(10)), sizeBytes: 10 })
  await open.peer.finish(sent, digest)
  assert.deepEqual(
    seen.map(({ method }) => method),
    ['PATCH', 'PUT'],
  )
  assert.ok(
    seen.every(
      (each) => each.headers.authorization === undefined && each.headers['lading-source-region'] === undefined,
    ),
  )

  await using closed = await openPublic(script, { credentials })
  await assert.rejects(closed.peer.startUpload('app'), failure('blocked', /another server/))
})

for (const location of [
  'http://uploads.example.com/1',
  'https://10.0.0.1/1',
  'https://127.0.0.1/1',
  'ftp://registry.example.com/1',
]) {
  test(`an upload at ${location} is blocked for all`, async () => {
    await using open = await openPublic(startingAt(location), { mayRedirect: true })
    await assert.rejects(open.peer.startUpload('app'), failure('blocked'))
    assert.ok(open.hosts.every((host) => host === 'registry.example.com:443'))
  })
}

test('a read is redirected within the origin of the peer, and to public hosts only by Amazon ECR', async () => {
  const script: Script = ({ url, headers }) => {
    if (headers.host === 'uploads.example.com') return { status: 404 }
    if (url.pathname.startsWith('/v2/near/')) return { status: 307, headers: { location: '/moved' } }
    if (url.pathname === '/moved') return { status: 404 }
    return { status: 307, headers: { location: 'https://uploads.example.com/1' } }
  }
  await using open = await openPublic(script)
  assert.equal(await open.peer.headManifest('near', digest), undefined)
  await assert.rejects(open.peer.headManifest('far', digest), failure('blocked', /redirects/))
  assert.ok(open.hosts.every((host) => host === 'registry.example.com:443'))
  await using ecr = await openPublic(script, { mayRedirect: true })
  assert.equal(await ecr.peer.headManifest('far', digest), undefined)
  assert.ok(ecr.hosts.includes('uploads.example.com:443'))
})

test('a token server at the host of the peer is as private as the peer', async () => {
  const logins: (string | undefined)[] = []
  await using tokens = await startScriptedPeer(({ headers }) => {
    logins.push(headers.authorization)
    return { status: 200, body: JSON.stringify({ token: 'good' }) }
  })
  const challenge = { 'www-authenticate': `Bearer realm="${tokens.url}/token",service="registry"` }
  await using server = await startScriptedPeer(({ headers }) =>
    headers.authorization === 'Bearer good' ? { status: 200 } : { status: 401, headers: challenge },
  )
  const credentials = { kind: 'basic', username: 'pusher', password: 'secret' } as const
  await using peer = connectPeer({ url: server.url, credentials })
  assert.equal(await peer.hasBlob('app', digest), true)
  assert.deepEqual(logins, [`Basic ${Buffer.from('pusher:secret').toString('base64')}`])

  await using secure = await startScriptedPeer(() => ({ status: 401, headers: challenge }), { tls: true })
  await using strict = connectPeer({ url: secure.url, credentials, certificates })
  await assert.rejects(strict.hasBlob('app', digest), failure('blocked'))
  assert.equal(logins.length, 1)
})
