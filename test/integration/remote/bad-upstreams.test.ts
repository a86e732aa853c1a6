import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RemoteFailure } from '#remote/registry.ts'
import { image } from '#test/support/images/build.ts'
import { startHub } from '#test/support/upstreams/hub.ts'
import { collect, connect, dockerHub, failure } from '#test/support/upstreams/remote.ts'

const demo = 'library/demo'
const large = image({ layers: [300_000] })
const layer = large.blobs.at(-1)
assert.ok(layer)

async function stage() {
  const hub = await startHub()
  hub.content.push(demo, large, 'latest')
  return hub
}

test('a manifest with another digest is refused, by tag and by digest', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ kind: 'manifests' }, { kind: 'alter' })

  await assert.rejects(remote.getManifest(demo, 'latest'), failure('invalid', /does not match its digest/))
  await assert.rejects(remote.getManifest(demo, large.digest), failure('invalid', /does not match its digest/))
})

test('a manifest answer of 10 GB is refused early', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ kind: 'manifests' }, { kind: 'endless' })
  const before = process.memoryUsage.rss()

  await assert.rejects(remote.getManifest(demo, 'latest'), failure('invalid', /larger than 4194304 bytes/))
  assert.ok(process.memoryUsage.rss() - before < 100 * 1024 * 1024)
})

test('a compressed answer is refused, since it may be far larger than it looks', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({}, { kind: 'headers', headers: { 'content-encoding': 'gzip' } })

  await assert.rejects(remote.getManifest(demo, 'latest'), failure('invalid', /compressed/))
  await assert.rejects(remote.openBlob(demo, layer.digest, { offset: 0 }), failure('invalid', /compressed/))
  assert.ok(hub.log.requests.every(({ headers }) => headers['accept-encoding'] === 'identity'))
})

test('a blob that is cut fails, and goes on where it broke', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ at: 'cdn' }, { kind: 'cut', afterBytes: 131_072 }, 1)

  const first = await remote.openBlob(demo, layer.digest, { offset: 0 })
  assert.ok(first)
  const got: Uint8Array[] = []
  await assert.rejects(async () => {
    for await (const chunk of first.body) got.push(chunk)
  }, failure('unreachable'))
  const start = Buffer.concat(got)
  const rest = await remote.openBlob(demo, layer.digest, { offset: start.length })
  assert.ok(rest)
  assert.deepEqual(Buffer.concat([start, await collect(rest.body)]), layer.bytes)
})

test('a token that expires in mid-layer does not end the layer', async () => {
  await using hub = await stage()
  hub.behaviour.tokenSeconds = 1
  await using remote = connect(hub)
  hub.fail({ at: 'cdn' }, { kind: 'cut', afterBytes: 65_536 }, 1)

  const first = await remote.openBlob(demo, layer.digest, { offset: 0 })
  assert.ok(first)
  await assert.rejects(collect(first.body))
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const rest = await remote.openBlob(demo, layer.digest, { offset: 65_536 })
  assert.ok(rest)
  assert.deepEqual(await collect(rest.body), layer.bytes.subarray(65_536))
  assert.equal(hub.log.count({ at: 'token' }), 2)
})

test('silence ends a request, before the head of an answer and within its body', async () => {
  await using hub = await stage()
  await using remote = connect(hub, { silenceMs: 300 })
  hub.fail({ kind: 'manifests' }, { kind: 'silence' })
  hub.fail({ at: 'cdn' }, { kind: 'silence', afterBytes: 1000 })

  await assert.rejects(remote.getManifest(demo, 'latest'), failure('unreachable', /fell silent/))
  const blob = await remote.openBlob(demo, layer.digest, { offset: 0 })
  assert.ok(blob)
  await assert.rejects(collect(blob.body), failure('unreachable', /fell silent/))
})

test('a long answer has no time limit while bytes come', async () => {
  await using hub = await stage()
  hub.behaviour.cdnBytesPerSecond = 200_000
  await using remote = connect(hub, { silenceMs: 1000 })

  const blob = await remote.openBlob(demo, layer.digest, { offset: 0 })
  assert.ok(blob)
  assert.deepEqual(await collect(blob.body), layer.bytes)
})

test('a reader that pauses is not taken for silence', async () => {
  await using hub = await stage()
  await using remote = connect(hub, { silenceMs: 300 })

  const blob = await remote.openBlob(demo, layer.digest, { offset: 0 })
  assert.ok(blob)
  let received = 0
  for await (const chunk of blob.body) {
    if (received === 0) await new Promise((resolve) => setTimeout(resolve, 1000))
    received += chunk.length
  }
  assert.equal(received, layer.bytes.length)
})

test('429 is a limit, with a wait in seconds, until a date, or without one', async () => {
  await using hub = await stage()
  const now = Date.parse('2026-01-01T00:00:00Z')
  await using remote = connect(hub, { clock: () => now })
  const waits: [string | undefined, number | undefined][] = [
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['soon', undefined],
    [undefined, undefined],
  ]
  for (const [text, waitMs] of waits) {
    const end = hub.fail(
      { kind: 'manifests' },
      { kind: 'status', status: 429, headers: text ? { 'retry-after': text } : {} },
    )
    await assert.rejects(remote.getManifest(demo, 'latest'), (error: RemoteFailure) => {
      assert.equal(error.retryAfterMs, waitMs)
      return failure('limited')(error)
    })
    end()
  }
})

test('a registry that refuses each token ends in a few requests', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ at: 'registry' }, { kind: 'unauthorized' })

  await assert.rejects(remote.getManifest(demo, 'latest'), failure('unauthorized'))
  assert.ok(hub.log.requests.length <= 4)
  hub.log.clear()
  await assert.rejects(remote.openBlob(demo, layer.digest, { offset: 0 }), failure('unauthorized'))
  assert.ok(hub.log.requests.length <= 4)
})

test('a redirect loop ends after five hops', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ kind: 'blobs' }, { kind: 'redirect', to: 'itself' })

  await assert.rejects(remote.openBlob(demo, layer.digest, { offset: 0 }), failure('invalid', /more than 5 times/))
  assert.equal(hub.log.count({ kind: 'blobs' }), 7) // one refusal, then the request and five hops
})

for (const to of [
  'http://169.254.169.254/latest/meta-data/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fe80::1]/',
  'https://[::ffff:169.254.169.254]/',
  'https://10.0.0.1/blob',
  'https://192.168.1.1/blob',
  'https://127.0.0.1:1/blob',
  'https://[::1]/blob',
  'https://0x7f000001/blob',
  'https://localhost:1/blob',
  'http://192.0.2.1/blob',
  'http://example.com/blob',
  'https://user:password@example.com/blob',
  'file:///etc/passwd',
]) {
  test(`a redirect to ${to} is not followed`, async () => {
    await using hub = await stage()
    await using remote = connect(hub)
    hub.fail({ kind: 'blobs' }, { kind: 'redirect', to })

    await assert.rejects(remote.openBlob(demo, layer.digest, { offset: 0 }), (error: RemoteFailure) => {
      assert.doesNotMatch(error.message, /169|10\.0|192|127\.0|localhost|password/)
      return failure('blocked')(error)
    })
  })
}

test('a name that resolves to a private address is refused when the connection is made', async () => {
  await using hub = await stage()
  const asked: string[] = []
  await using remote = connect(hub, {
    lookUp: async (name) => {
      asked.push(name)
      return [{ address: '10.0.0.1', family: 4 }]
    },
  })
  hub.fail({ kind: 'blobs' }, { kind: 'redirect', to: 'https://cdn.example/blob' })

  await assert.rejects(remote.openBlob(demo, layer.digest, { offset: 0 }), failure('blocked'))
  assert.deepEqual(asked, ['cdn.example'])
})

test('a listed name may have a private address, and never a link-local one', async () => {
  await using hub = await stage()
  const addresses = ['169.254.169.254', '10.255.255.1']
  for (const [place, address] of addresses.entries()) {
    await using remote = connect(hub, {
      silenceMs: 200,
      hosts: [{ host: dockerHub, url: 'https://mirror.example' }],
      lookUp: async () => [{ address, family: 4 }],
    })
    const reason = place === 0 ? 'blocked' : 'unreachable'
    await assert.rejects(remote.getManifest(demo, 'latest'), failure(reason))
  }
})

test('a token server at a private address is not asked, and learns no password', async () => {
  await using hub = await stage()
  await using other = await startHub()
  await using remote = connect(hub, { credentials: { kind: 'basic', username: 'hub', password: 'secret' } })
  for (const realm of [`${other.url}/token`, 'http://169.254.169.254/token', 'http://auth.example/token', 'nonsense']) {
    hub.behaviour.realm = realm
    await assert.rejects(remote.getManifest(demo, 'latest'), failure(realm === 'nonsense' ? 'invalid' : 'blocked'))
  }
  assert.equal(other.log.requests.length, 0)
})

test('a CDN that refuses its links is a failure of the upstream, and not of the credentials', async () => {
  await using hub = await stage()
  hub.behaviour.cdnLinkMs = -1000
  await using remote = connect(hub)

  await assert.rejects(
    remote.openBlob(demo, layer.digest, { offset: 0 }),
    failure('unreachable', /redirects to answers 403/),
  )
})

test('an untrusted certificate is refused, and its own authority makes it trusted', async () => {
  const { selfSigned } = await import('#test/fixtures/tls/pair.ts')
  await using hub = await startHub({ tls: true })
  hub.content.push(demo, large, 'latest')
  await using untrusting = connect(hub)
  await using trusting = connect(hub, { certificates: [selfSigned.cert] })

  await assert.rejects(untrusting.getManifest(demo, 'latest'), failure('unreachable', /certificate is not trusted/))
  assert.equal((await trusting.getManifest(demo, 'latest'))?.digest, large.digest)
  const blob = await trusting.openBlob(demo, layer.digest, { offset: 0 })
  assert.ok(blob)
  assert.deepEqual(await collect(blob.body), layer.bytes)
})

test('another range than the one that was asked for is refused', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ at: 'cdn' }, { kind: 'headers', headers: { 'content-range': 'bytes 0-9/300' } })

  await assert.rejects(remote.openBlob(demo, layer.digest, { offset: 10 }), failure('invalid', /another range/))
})

test('a hub that is down is unreachable, at start and later', async () => {
  await using hub = await stage()
  hub.behaviour.down = true
  await using remote = connect(hub)

  await assert.rejects(remote.getManifest(demo, 'latest'), failure('unreachable'))
  hub.behaviour.down = false
  assert.equal((await remote.getManifest(demo, 'latest'))?.digest, large.digest)
})

test('a name with a path in it does not leave its place', async () => {
  await using hub = await stage()
  await using remote = connect(hub)

  await assert.rejects(remote.getManifest('library/../../token', 'latest'), failure('invalid'))
  assert.equal(await remote.getManifest(demo, 'a?b#c/../d\r\nx: y'), undefined)
  assert.ok(hub.log.requests.every(({ headers }) => headers.x === undefined))
})

test('a caller that leaves ends its request with its own reason', async () => {
  await using hub = await stage()
  await using remote = connect(hub)
  hub.fail({ kind: 'manifests' }, { kind: 'silence' })
  const reason = new Error('left')
  const controller = new AbortController()
  const asked = remote.getManifest(demo, 'latest', { signal: controller.signal })
  controller.abort(reason)

  await assert.rejects(asked, (error) => error === reason)
})
