/** Answers to requests for manifests that no client can use, through a whole server. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseMediaType } from '#names/media-type.ts'
import {
  artifact,
  blob,
  descriptor,
  type Image,
  image,
  imageWithForeignLayer,
  index,
  mediaTypes,
  rewritten,
} from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'
import { nothingHalfCached } from '#test/support/upstreams/half-cached.ts'
import type { HubBehaviour } from '#test/support/upstreams/hub.ts'
import type { HubFault } from '#test/support/upstreams/hub-faults.ts'

const path = 'hub/library/app/manifests/latest'
const ociManifest = { 'content-type': mediaTypes.oci.manifest }

interface Case {
  readonly what: string
  readonly fault?: HubFault
  readonly behaviour?: Partial<HubBehaviour>
  readonly status: number
  readonly code: string
  readonly message: RegExp
  readonly retryAfter?: string
}

const unavailable = { status: 503, code: 'UNAVAILABLE' }
const limited = { status: 429, code: 'TOOMANYREQUESTS' }
const html = '<!DOCTYPE html><title>Sign in</title>'

const cases: readonly Case[] = [
  { what: 'has another digest', fault: { kind: 'alter' }, ...unavailable, message: /does not match its digest/ },
  { what: 'is cut', fault: { kind: 'cut', afterBytes: 20 }, ...unavailable, message: /the connection broke/ },
  { what: 'is too short', fault: { kind: 'length', by: -5 }, ...unavailable, message: /does not match its digest/ },
  { what: 'never comes', fault: { kind: 'silence' }, ...unavailable, message: /fell silent/ },
  { what: 'falls silent', fault: { kind: 'silence', afterBytes: 20 }, ...unavailable, message: /fell silent/ },
  { what: 'has 10 GB', fault: { kind: 'endless' }, ...unavailable, message: /larger than 4194304 bytes/ },
  {
    ...{ what: 'is a page of HTML', ...unavailable, message: /its manifest has no media type/ },
    fault: { kind: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: html },
  },
  {
    ...{ what: 'is HTML that claims to be a manifest', ...unavailable, message: /a manifest that is not valid/ },
    fault: { kind: 'status', status: 200, headers: ociManifest, body: html },
  },
  {
    ...{ what: 'is an array', ...unavailable, message: /a manifest that is not valid/ },
    fault: { kind: 'status', status: 200, headers: ociManifest, body: '[]' },
  },
  {
    ...{ what: 'is empty', ...unavailable, message: /a manifest that is not valid/ },
    fault: { kind: 'status', status: 200, headers: ociManifest, body: '' },
  },
  { what: 'is an error', fault: { kind: 'status', status: 500 }, ...unavailable, message: /500/ },
  {
    what: 'redirects for ever',
    fault: { kind: 'redirect', to: 'itself' },
    ...unavailable,
    message: /more than 5 times/,
  },
  {
    ...{ what: 'redirects to a link-local address', ...unavailable, message: /an address that may not be reached/ },
    fault: { kind: 'redirect', to: 'http://169.254.169.254/latest/meta-data/' },
  },
  {
    ...{ what: 'needs a token that is never good', status: 403, code: 'DENIED' },
    ...{ fault: { kind: 'unauthorized' }, message: /^The authentication to the upstream registry failed/ },
  },
  {
    ...{ what: 'is forbidden', status: 403, code: 'DENIED', fault: { kind: 'status', status: 403 } },
    message: /denies access to this repository/,
  },
  {
    ...{
      what: 'is limited for a while',
      ...limited,
      message: /limits the rate of requests.*after 60 s/,
      retryAfter: '60',
    },
    fault: { kind: 'status', status: 429, headers: { 'retry-after': '60' } },
  },
  {
    ...{ what: 'is limited without a time', ...limited, message: /limits the rate of requests.*Try again later/ },
    ...{ fault: { kind: 'status', status: 429 }, retryAfter: '60' },
  },
  { what: 'is behind a server that is down', behaviour: { down: true }, ...unavailable, message: /connection/ },
]

function start(hub: Partial<HubBehaviour> = {}): Promise<CacheSession> {
  return startCacheSession({ hub, server: { upstreamWaits: { silenceMs: 150, pauseMs: 20 } } })
}

/** Waits until an image and all its content are here. */
async function stored({ ecr }: CacheSession, { digest: imageDigest }: Image): Promise<void> {
  await until(async () => {
    const { imageDetails = [] } = await ecr
      .describeImages({ repositoryName: 'hub/library/app', imageIds: [{ imageDigest }] })
      .catch(() => ({ imageDetails: [] }))
    return imageDetails.length > 0
  })
}

/** As `stored`, with a pull each time: the job may note its failure after a pull. */
async function storedByPulls(session: CacheSession, reference: string, { digest: imageDigest }: Image): Promise<void> {
  await until(async () => {
    session.pass(11_000)
    assert.equal((await session.get(reference)).status, 200)
    const { imageDetails = [] } = await session.ecr
      .describeImages({ repositoryName: 'hub/library/app', imageIds: [{ imageDigest }] })
      .catch(() => ({ imageDetails: [] }))
    return imageDetails.length > 0
  })
}

describe('a manifest of an upstream that', () => {
  for (const { what, fault, behaviour, status, code, message, retryAfter } of cases) {
    test(`${what} is refused, and the next pull works once the upstream is mended`, async () => {
      await using session = await start(behaviour)
      const { hub, get, ecr } = session
      const app = image({ layers: [1_000] })
      hub.content.push('library/app', app, 'latest')
      if (fault !== undefined) hub.fail({ kind: 'manifests' }, fault)

      const refused = await get(path)
      assert.deepEqual([refused.status, refused.error], [status, code], refused.message)
      assert.match(refused.message, message)
      assert.doesNotMatch(refused.message, /127\.0\.0\.1|169\.254|undefined/)
      if (retryAfter !== undefined) assert.equal(refused.headers['retry-after'], retryAfter)
      const { repositories = [] } = await ecr.describeRepositories({})
      assert.deepEqual(repositories, [])
      await nothingHalfCached(session.server)

      hub.recover()
      hub.behaviour.down = false
      // As long as a client may be kept waiting for a second question.
      session.pass(status === 429 ? 60_000 : 10_000)
      assert.equal((await get(path)).status, 200)
      await stored(session, app)
      await nothingHalfCached(session.server)
    })
  }

  test('cannot be proved since the certificate is not trusted is refused', async () => {
    await using session = await startCacheSession({ hub: { tls: true }, server: { trustedCertificates: [] } })
    session.hub.content.push('library/app', image(), 'latest')
    const refused = await session.get(path)
    assert.deepEqual([refused.status, refused.error], [503, 'UNAVAILABLE'])
    assert.match(refused.message, /its certificate is not trusted/)
  })
})

describe('an image of an upstream', () => {
  test('with an index that lists an absent child is served in part, and whole once the child is there', async () => {
    await using session = await start()
    const { hub, get } = session
    const [here, missing] = [image({ seed: 'here' }), image({ seed: 'missing' })]
    const both = index({ children: [missing, here] })
    hub.content.push('library/app', both, 'latest')
    hub.content.removeManifest('library/app', missing.digest)

    assert.equal((await get(path)).status, 200)
    assert.equal((await get(`hub/library/app/manifests/${here.digest}`)).status, 200)
    const absent = await get(`hub/library/app/manifests/${missing.digest}`)
    assert.deepEqual([absent.status, absent.error], [404, 'MANIFEST_UNKNOWN'])
    await nothingHalfCached(session.server)

    hub.content.putManifest('library/app', missing)
    session.pass(10_000)
    assert.equal((await get(`hub/library/app/manifests/${missing.digest}`)).status, 200)
    assert.equal((await get(path)).status, 200)
    await stored(session, both)
  })

  for (const by of ['tag', 'digest']) {
    test(`that was pulled by ${by} and failed comes whole with the next pull once the upstream is mended`, async () => {
      await using session = await start()
      const { hub, get } = session
      const app = image({ layers: [1_000, 2_000] })
      hub.content.push('library/app', app, 'latest')
      const reference = by === 'tag' ? path : `hub/library/app/manifests/${app.digest}`
      const [, , layer] = app.blobs
      hub.fail({ at: 'cdn', reference: layer?.digest ?? '' }, { kind: 'alter' })
      assert.equal((await get(reference)).status, 200)
      await until(() => hub.log.count({ at: 'cdn', reference: layer?.digest ?? '' }) > 0)
      await nothingHalfCached(session.server)

      hub.recover()
      await storedByPulls(session, reference, app)
    })
  }

  test('that moved and then failed serves the copy, and the new one with a pull after the upstream is mended', async () => {
    await using session = await start()
    const { hub, get } = session
    const [old, moved] = [image({ seed: 'old' }), image({ seed: 'moved' })]
    hub.content.push('library/app', old, 'latest')
    await get(path)
    await stored(session, old)
    hub.content.push('library/app', moved, 'latest')
    const [, layer] = moved.blobs
    hub.fail({ at: 'cdn', reference: layer?.digest ?? '' }, { kind: 'alter' })
    session.pass(24 * 60 * 60_000)
    await get(path)
    await until(async () => (await get(path)).headers.warning !== undefined)
    hub.recover()
    await storedByPulls(session, path, moved)
    assert.equal((await get(path)).headers['docker-content-digest'], moved.digest)
  })

  const sizes = [blob(mediaTypes.oci.layer, Buffer.alloc(0)), blob(mediaTypes.oci.layer, Buffer.from('x'))]

  test('with an empty layer, one layer twice and an unknown media type comes whole', async () => {
    await using session = await start()
    const { hub, get } = session
    const plain = image({ layers: [1_000] })
    const [config, first] = plain.blobs
    assert.ok(config && first)
    const odd = blob(parseMediaType('application/x-odd'), Buffer.from('odd'))
    const blobs = [config, first, first, ...sizes, odd]
    const layers = blobs.slice(1).map((each) => descriptor(each))
    const app = { ...rewritten(plain, { layers }), blobs }
    hub.content.push('library/app', app, 'latest')

    assert.equal((await get(path)).status, 200)
    for (const each of blobs) {
      const { status, body } = await get(`hub/library/app/blobs/${each.digest}`)
      assert.equal(status, 200)
      assert.ok(body.equals(each.bytes))
    }
    await stored(session, app)
    await nothingHalfCached(session.server)
  })

  test('with a foreign layer comes without it', async () => {
    await using session = await start()
    const { hub, get } = session
    const { image: app, layer } = imageWithForeignLayer('foreign')
    hub.content.push('library/app', app, 'latest')
    assert.equal((await get(path)).status, 200)
    await stored(session, app)
    assert.equal(hub.log.count({ reference: layer.digest }), 0)
  })

  for (const size of [5, 1_000_000, 0]) {
    test(`with a descriptor that says ${size} bytes of a layer is no image, and the refusal says why`, async () => {
      await using session = await start()
      const { hub, get } = session
      const plain = image({ layers: [1_000] })
      const [, layer] = plain.blobs
      assert.ok(layer)
      const app = { ...rewritten(plain, { layers: [{ ...descriptor(layer), size }] }), blobs: plain.blobs }
      hub.content.push('library/app', app, 'latest')
      assert.equal((await get(path)).status, 200)
      const refused = await get(`hub/library/app/blobs/${layer.digest}`)
      assert.deepEqual([refused.status, refused.error], [502, 'UNKNOWN'])
      assert.match(refused.message, /with another length/)
      await nothingHalfCached(session.server)
    })
  }

  test('with hundreds of children comes whole', async () => {
    await using session = await start()
    const { hub, get } = session
    const children = Array.from({ length: 300 }, (_, place) =>
      artifact({ artifactType: 'application/x-part', annotations: { place: String(place) } }),
    )
    const many = index({ children })
    hub.content.push('library/app', many, 'latest')
    assert.equal((await get(path)).status, 200)
    await stored(session, many)
    await nothingHalfCached(session.server)
  })

  test('that is nested too deeply ends its import, and still serves what a client asks for', async () => {
    await using session = await start()
    const { hub, get } = session
    const inner = image()
    let nested: Image = inner
    for (let depth = 0; depth < 40; depth++) nested = index({ children: [nested], annotations: { depth: `${depth}` } })
    hub.content.push('library/app', nested, 'latest')
    assert.equal((await get(path)).status, 200)
    assert.equal((await get(`hub/library/app/manifests/${inner.digest}`)).status, 200)
    await stored(session, inner)
    await nothingHalfCached(session.server)
    assert.ok(hub.log.count({ method: 'GET', kind: 'manifests', status: 200 }) < 20)
  })
})
