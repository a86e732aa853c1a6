import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amd64, arm64, artifact, image, index } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { type Hub, hubUser, startHub } from '#test/support/upstreams/hub.ts'

const bothPlatforms = index({ children: [image({ platform: amd64 }), image({ platform: arm64 })] })

test('the stand-in challenges, and answers a token of the scope', async () => {
  await using hub = await startHub()
  hub.content.push('library/demo', bothPlatforms, 'latest')
  const manifest = `${hub.url}/v2/library/demo/manifests/latest`

  const refused = await fetch(manifest)
  assert.equal(refused.status, 401)
  assert.match(
    refused.headers.get('www-authenticate') ?? '',
    /^Bearer realm=".*\/token",service=".*",scope="repository:library\/demo:pull"/,
  )
  const authorization = `Bearer ${await token(hub, 'repository:library/demo:pull')}`
  const answer = await fetch(manifest, { headers: { authorization } })
  assert.equal(answer.status, 200)
  assert.equal(digest(Buffer.from(await answer.arrayBuffer())), bothPlatforms.digest)
  assert.equal(
    (await fetch(`${hub.url}/v2/library/other/manifests/latest`, { headers: { authorization } })).status,
    401,
  )
  assert.equal(hub.log.count({ at: 'token' }), 1)
  assert.equal(hub.log.count({ kind: 'manifests', status: 401 }), 2)
})

test('a private repository needs its user, and a wrong password is refused', async () => {
  await using hub = await startHub({ privateRepositories: new Set(['library/demo']) })
  hub.content.push('library/demo', bothPlatforms, 'latest')
  const manifest = `${hub.url}/v2/library/demo/manifests/latest`
  const scope = 'repository:library/demo:pull'
  const { username, password } = hubUser
  const basic = (secret: string) => ({
    authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`,
  })

  const anonymous = { authorization: `Bearer ${await token(hub, scope)}` }
  assert.equal((await fetch(manifest, { headers: anonymous })).status, 401)
  const asUser = { authorization: `Bearer ${await token(hub, scope, basic(password))}` }
  assert.equal((await fetch(manifest, { headers: asUser })).status, 200)
  assert.equal((await fetch(`${hub.url}/token?scope=${scope}`, { headers: basic('wrong') })).status, 401)
})

test('blobs come from a CDN that refuses credentials and old links, and honours ranges', async () => {
  await using hub = await startHub({ authentication: 'none', cdnLinkMs: 60_000 })
  const [blob] = image().blobs
  assert.ok(blob)
  hub.content.putBlob('library/demo', blob)
  const url = `${hub.url}/v2/library/demo/blobs/${blob.digest}`

  const redirect = await fetch(url, { redirect: 'manual' })
  const location = redirect.headers.get('location') ?? ''
  assert.equal(redirect.status, 307)
  assert.equal((await fetch(location, { headers: { authorization: 'Bearer x' } })).status, 400)
  const part = await fetch(location, { headers: { range: 'bytes=10-' } })
  assert.equal(part.status, 206)
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), blob.bytes.subarray(10))
  hub.behaviour.cdnLinkMs = -1
  assert.equal((await fetch(url)).status, 403)
})

test('GETs of manifests count against the limit, and HEAD does not', async () => {
  await using hub = await startHub({
    authentication: 'none',
    rateLimit: { limit: 1, used: 0, windowSeconds: 21_600, retryAfter: '7' },
  })
  hub.content.push('library/demo', bothPlatforms, 'latest')
  const url = `${hub.url}/v2/library/demo/manifests/latest`

  assert.equal((await fetch(url, { method: 'HEAD' })).headers.get('ratelimit-remaining'), '1;w=21600')
  assert.equal((await fetch(url)).headers.get('ratelimit-remaining'), '0;w=21600')
  const refused = await fetch(url)
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('retry-after'), '7')
})

test('referrers come in pages, or not at all', async () => {
  await using hub = await startHub({ authentication: 'none', pageSize: 1 })
  const subject = image()
  const notes = ['one', 'two'].map((each) => artifact({ artifactType: `application/${each}`, subject }))
  for (const each of [subject, ...notes]) hub.content.push('library/demo', each)
  const url = `${hub.url}/v2/library/demo/referrers/${subject.digest}`

  const first = await fetch(url)
  assert.match(first.headers.get('link') ?? '', /^<\/v2\/.*\?from=1>; rel="next"$/)
  const { manifests } = (await first.json()) as { manifests: object[] }
  assert.deepEqual(manifests, [
    {
      mediaType: notes[0]?.mediaType,
      digest: notes[0]?.digest,
      size: notes[0]?.bytes.length,
      artifactType: 'application/one',
    },
  ])
  hub.behaviour.referrers = false
  assert.equal((await fetch(url)).status, 404)
})

test('faults cut, alter and lengthen answers, a number of times', async () => {
  await using hub = await startHub({ authentication: 'none', cdn: false })
  const blob = { bytes: Buffer.alloc(200_000, 1), digest: digest(Buffer.alloc(200_000, 1)) }
  hub.content.putBlob('library/demo', blob)
  const url = `${hub.url}/v2/library/demo/blobs/${blob.digest}`
  const read = async () => Buffer.from(await (await fetch(url)).arrayBuffer())

  hub.fail({ kind: 'blobs' }, { kind: 'cut', afterBytes: 100_000 }, 1)
  await assert.rejects(read())
  hub.fail({ kind: 'blobs' }, { kind: 'alter' }, 1)
  assert.equal((await read())[0], 0)
  hub.fail({ kind: 'blobs' }, { kind: 'length', by: 5 }, 1)
  assert.equal((await read()).byteLength, 200_005)
  hub.fail({ kind: 'blobs' }, { kind: 'length', by: -5 }, 1)
  assert.equal((await read()).byteLength, 199_995)
  assert.deepEqual(await read(), blob.bytes)
})

test('the CDN limits all its answers together', async () => {
  await using hub = await startHub({ authentication: 'none', cdnBytesPerSecond: 1_000_000 })
  const bytes = Buffer.alloc(200_000)
  hub.content.putBlob('library/demo', { bytes, digest: digest(bytes) })
  const url = `${hub.url}/v2/library/demo/blobs/${digest(bytes)}`
  const started = performance.now()

  await Promise.all([1, 2].map(async () => (await fetch(url)).arrayBuffer()))

  assert.ok(performance.now() - started > 350)
})

test('it stands in front of another registry', async () => {
  await using back = await startHub({ authentication: 'none', cdn: false })
  await using hub = await startHub({ registry: back.url, authentication: 'none' })
  back.content.push('library/demo', bothPlatforms, 'latest')
  const [blob] = bothPlatforms.children[0]?.blobs ?? []

  const answer = await fetch(`${hub.url}/v2/library/demo/manifests/latest`)
  assert.equal(answer.headers.get('docker-content-digest'), bothPlatforms.digest)
  const sent = await fetch(`${hub.url}/v2/library/demo/blobs/${blob?.digest}`)
  assert.deepEqual(Buffer.from(await sent.arrayBuffer()), blob?.bytes)
  assert.equal(hub.log.count({ at: 'cdn' }), 1)
})

test('a hub that is down answers nothing', async () => {
  await using hub = await startHub({ authentication: 'none' })
  hub.behaviour.down = true
  await assert.rejects(fetch(`${hub.url}/v2/`))
  hub.behaviour.down = false
  assert.equal((await fetch(`${hub.url}/v2/`)).status, 200)
})

async function token(hub: Hub, scope: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${hub.url}/token?service=registry.docker.io&scope=${scope}`, { headers })
  const { token } = (await answer.json()) as { token: string }
  return token
}
