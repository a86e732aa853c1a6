import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RemoteRateLimit } from '#remote/registry.ts'
import { amd64, arm64, artifact, image, index, mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { hubUser, startHub } from '#test/support/upstreams/hub.ts'
import { collect, connect, failure } from '#test/support/upstreams/remote.ts'

const demo = 'library/demo'
const root = index({ children: [image({ platform: amd64 }), image({ platform: arm64 })] })
const large = image({ layers: [300_000] })
const layer = large.blobs.at(-1)
assert.ok(layer)
const basic = { kind: 'basic', ...hubUser } as const

test('an index, its children and their blobs come by tag and by digest, with one token for all', async () => {
  await using hub = await startHub()
  hub.content.push(demo, root, 'latest')
  await using remote = connect(hub)

  const head = await remote.headManifest(demo, 'latest')
  assert.deepEqual(head, { digest: root.digest, mediaType: mediaTypes.oci.index, sizeBytes: root.bytes.length })
  const found = await remote.getManifest(demo, 'latest')
  assert.deepEqual(found, { digest: root.digest, mediaType: mediaTypes.oci.index, body: root.bytes })
  for (const child of root.children) {
    assert.deepEqual((await remote.getManifest(demo, child.digest))?.body, child.bytes)
    for (const { digest, bytes } of child.blobs) {
      const blob = await remote.openBlob(demo, digest, { offset: 0 })
      assert.ok(blob)
      assert.equal(blob.sizeBytes, bytes.length)
      assert.deepEqual(await collect(blob.body), bytes)
    }
  }
  assert.equal(hub.log.count({ at: 'token' }), 1)
  assert.equal(hub.log.count({ kind: 'blobs', method: 'HEAD' }), 0)
  assert.ok(hub.log.requests.filter(({ at }) => at === 'cdn').every(({ authorization }) => authorization === 'none'))
})

test('what the registry does not have is absent', async () => {
  await using hub = await startHub()
  hub.content.push(demo, root, 'latest')
  await using remote = connect(hub)

  assert.equal(await remote.headManifest(demo, 'other'), undefined)
  assert.equal(await remote.getManifest(demo, 'other'), undefined)
  hub.behaviour.cdn = false
  assert.equal(await remote.openBlob(demo, layer.digest, { offset: 0 }), undefined)
})

test('a manifest is proved by sha512 too', async () => {
  await using hub = await startHub()
  hub.content.push(demo, large, 'latest')
  await using remote = connect(hub)
  const reference = digest(large.bytes, 'sha512')

  assert.equal((await remote.getManifest(demo, reference))?.digest, reference)
  hub.fail({ kind: 'manifests' }, { kind: 'alter' })
  await assert.rejects(remote.getManifest(demo, reference), failure('invalid', /does not match its digest/))
})

test('a manifest of a vague type has the type that it states', async () => {
  await using hub = await startHub()
  hub.content.push(demo, large, 'latest')
  await using remote = connect(hub)
  hub.fail({ kind: 'manifests' }, { kind: 'headers', headers: { 'content-type': 'text/plain; charset=utf-8' } })

  assert.equal((await remote.getManifest(demo, 'latest'))?.mediaType, mediaTypes.oci.manifest)
})

test('a blob goes on at an offset, and from its start where ranges are not honoured', async () => {
  await using hub = await startHub()
  hub.content.push(demo, large)
  await using remote = connect(hub)

  const rest = await remote.openBlob(demo, layer.digest, { offset: 1000 })
  assert.ok(rest)
  assert.deepEqual([rest.offset, rest.sizeBytes], [1000, layer.bytes.length])
  assert.deepEqual(await collect(rest.body), layer.bytes.subarray(1000))
  const end = await remote.openBlob(demo, layer.digest, { offset: layer.bytes.length })
  assert.ok(end)
  assert.equal(end.offset, layer.bytes.length)
  assert.equal((await collect(end.body)).length, 0)
  await assert.rejects(remote.openBlob(demo, layer.digest, { offset: layer.bytes.length + 1 }), failure('invalid'))

  hub.behaviour.ranges = false
  const whole = await remote.openBlob(demo, layer.digest, { offset: 1000 })
  assert.ok(whole)
  assert.equal(whole.offset, 0)
  assert.deepEqual(await collect(whole.body), layer.bytes)
})

test('a private repository needs its user, by token and by Basic', async () => {
  await using hub = await startHub({ privateRepositories: new Set([demo]) })
  hub.content.push(demo, large, 'latest')
  for (const authentication of ['token', 'basic'] as const) {
    hub.behaviour.authentication = authentication
    await using anonymous = connect(hub)
    await using user = connect(hub, { credentials: basic })
    await using wrong = connect(hub, { credentials: { ...basic, password: 'wrong' } })

    await assert.rejects(anonymous.getManifest(demo, 'latest'), failure('unauthorized', /asks for credentials/))
    assert.equal((await user.getManifest(demo, 'latest'))?.digest, large.digest)
    await user.check()
    await assert.rejects(wrong.getManifest(demo, 'latest'), failure('unauthorized', /refuses the credentials/))
    await assert.rejects(wrong.check(), failure('unauthorized', /^registry-1\.docker\.io: it refuses the credentials$/))
  }
})

test('a registry without sign-in serves', async () => {
  await using hub = await startHub({ authentication: 'none', cdn: false })
  hub.content.push(demo, large, 'latest')
  await using remote = connect(hub)

  await remote.check()
  assert.equal((await remote.getManifest(demo, 'latest'))?.digest, large.digest)
})

test('a registry that changes how it challenges is followed', async () => {
  await using hub = await startHub()
  hub.content.push(demo, large, 'latest')
  await using remote = connect(hub, { credentials: basic })
  for (const authentication of ['token', 'basic', 'token', 'none'] as const) {
    hub.behaviour.authentication = authentication
    assert.equal((await remote.getManifest(demo, 'latest'))?.digest, large.digest)
  }
})

test('a hundred requests at once share one token', async () => {
  await using hub = await startHub()
  hub.content.push(demo, large, 'latest')
  await using remote = connect(hub)

  await Promise.all(Array.from({ length: 100 }, () => remote.headManifest(demo, 'latest')))
  assert.equal(hub.log.count({ at: 'token' }), 1)
})

test('the scope of a token is what this client needs, and not what a challenge asks for', async () => {
  await using hub = await startHub({ challengeScope: 'repository:library/demo:push,pull,delete' })
  hub.content.push(demo, large, 'latest')
  await using remote = connect(hub, { credentials: basic })

  await remote.getManifest(demo, 'latest')
  const [asked] = hub.log.requests.filter(({ at }) => at === 'token')
  assert.equal(new URL(asked?.path ?? '', hub.url).searchParams.get('scope'), 'repository:library/demo:pull')
})

test('a token that expires, or that the registry forgets, is fetched again once', async () => {
  await using hub = await startHub({ tokenSeconds: 1 })
  hub.content.push(demo, large, 'latest')
  let now = Date.now()
  await using remote = connect(hub, { clock: () => now })

  await remote.getManifest(demo, 'latest')
  now += 1000
  await remote.getManifest(demo, 'latest')
  assert.equal(hub.log.count({ at: 'token' }), 2)
  const end = hub.fail({ kind: 'manifests' }, { kind: 'unauthorized' }, 1)
  await remote.getManifest(demo, 'latest')
  assert.equal(hub.log.count({ at: 'token' }), 3)
  end()
})

test('a token without a stated end is used for less than a minute', async () => {
  await using hub = await startHub({ omitExpiry: true })
  hub.content.push(demo, large, 'latest')
  let now = 0
  await using remote = connect(hub, { clock: () => now })
  for (const time of [0, 49_000, 55_000]) {
    now = time
    await remote.headManifest(demo, 'latest')
  }
  assert.equal(hub.log.count({ at: 'token' }), 2)
})

test('what a registry says of its rate limit reaches the caller', async () => {
  await using hub = await startHub({ rateLimit: { limit: 2, used: 0, windowSeconds: 21_600, retryAfter: '7' } })
  hub.content.push(demo, large, 'latest')
  const seen: RemoteRateLimit[] = []
  await using remote = connect(hub, { hooks: { onRateLimit: (limit) => seen.push(limit) } })

  await remote.headManifest(demo, 'latest')
  await remote.getManifest(demo, 'latest')
  await remote.getManifest(demo, 'latest')
  await assert.rejects(
    remote.getManifest(demo, 'latest'),
    (error: { retryAfterMs: number }) => failure('limited')(error as never) && error.retryAfterMs === 7000,
  )
  assert.deepEqual(
    seen.map(({ remaining, retryAfterMs }) => [remaining, retryAfterMs]),
    [
      [2, undefined],
      [1, undefined],
      [0, undefined],
      [0, 7000],
    ],
  )
  assert.equal(seen[0]?.windowSeconds, 21_600)
})

test('referrers come from all pages of the API, and else by the fallback tag', async () => {
  await using hub = await startHub({ pageSize: 2 })
  hub.content.push(demo, large)
  const notes = ['a', 'b', 'c'].map((each) => artifact({ artifactType: `application/${each}`, subject: large }))
  for (const each of notes) hub.content.push(demo, each)
  await using remote = connect(hub)

  const byApi = await remote.listReferrers(demo, large.digest)
  assert.deepEqual(
    byApi.map(({ digest, artifactType }) => [digest, artifactType]),
    [...notes.map((each, place) => [each.digest, `application/${'abc'[place]}`])],
  )
  hub.behaviour.referrers = false
  assert.deepEqual(await remote.listReferrers(demo, large.digest), [])
  hub.content.push(demo, index({ children: notes.slice(0, 1) }), large.digest.replace(':', '-'))
  assert.deepEqual(
    (await remote.listReferrers(demo, large.digest)).map(({ digest }) => digest),
    [notes[0]?.digest],
  )
})

test('the path of a mirror stands before the names of its repositories', async () => {
  await using hub = await startHub()
  hub.content.push('proxy/library/demo', large, 'latest')
  const hosts = [{ host: 'registry-1.docker.io', url: `${hub.url}/v2/proxy` }]
  await using remote = connect(hub, { hosts })

  assert.equal((await remote.getManifest(demo, 'latest'))?.digest, large.digest)
  await remote.check()
})
