/** Layers that an upstream sends wrongly, in part or not at all, through a whole server. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Blob, type Image, image } from '#test/support/images/build.ts'
import type { Answer } from '#test/support/oci-client.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'
import { nothingHalfCached } from '#test/support/upstreams/half-cached.ts'
import type { HubFault } from '#test/support/upstreams/hub-faults.ts'
import type { HubMatch } from '#test/support/upstreams/hub-log.ts'

const repository = 'library/app'

interface Staged extends AsyncDisposable {
  readonly session: CacheSession
  readonly app: Image
  readonly layer: Blob
  pullLayer(): Promise<Answer | 'cut'>
}

/** A server, and a client that has the manifest of an image with one layer. The fault concerns that layer. */
async function stage(match: HubMatch, fault: HubFault | undefined, ranges = true): Promise<Staged> {
  const session = await startCacheSession({
    server: { upstreamWaits: { silenceMs: 150, pauseMs: 20 } },
    hub: { ranges },
  })
  const app = image({ layers: [300_000] })
  const layer = app.blobs[1]
  assert.ok(layer)
  session.hub.content.push(repository, app, 'latest')
  if (fault !== undefined) session.hub.fail({ kind: 'blobs', reference: layer.digest, ...match }, fault)
  assert.equal((await session.get(`hub/${repository}/manifests/latest`)).status, 200)
  return {
    ...{ session, app, layer },
    pullLayer: () => session.get(`hub/${repository}/blobs/${layer.digest}`).catch(() => 'cut' as const),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

interface Case {
  readonly what: string
  readonly match?: HubMatch
  readonly fault: HubFault
  readonly ranges?: boolean
  /** Where the server knows of the fault before it sends a head. */
  readonly says?: readonly [status: number, code: string, message: RegExp]
}

const at = 'cdn'

const cases: readonly Case[] = [
  { what: 'has another digest', match: { at }, fault: { kind: 'alter' } },
  {
    ...{ what: 'is longer than its descriptor says', match: { at }, fault: { kind: 'length', by: 10 } },
    says: [502, 'UNKNOWN', /^The upstream sends the blob sha256:\S+ with another length/],
  },
  {
    ...{ what: 'is shorter than its descriptor says', match: { at }, fault: { kind: 'length', by: -10 } },
    says: [502, 'UNKNOWN', /with another length/],
  },
  { what: 'is always cut at the same byte', match: { at }, fault: { kind: 'cut', afterBytes: 100_000 }, ranges: false },
  { what: 'is cut before its first byte', match: { at }, fault: { kind: 'cut', afterBytes: 0 } },
  { what: 'falls silent at the same byte', match: { at }, fault: { kind: 'silence', afterBytes: 10 }, ranges: false },
  {
    ...{ what: 'gets no answer', match: { at }, fault: { kind: 'silence' } },
    says: [503, 'UNAVAILABLE', /registry-1\.docker\.io is unavailable.* fell silent\. Try again later$/],
  },
  {
    ...{ what: 'is never there', fault: { kind: 'status', status: 404 }, match: { at: 'registry' } },
    says: [404, 'BLOB_UNKNOWN', /^The upstream registry does not have the layer sha256:/],
  },
  {
    ...{ what: 'is refused by a CDN', match: { at }, fault: { kind: 'status', status: 403 } },
    says: [503, 'UNAVAILABLE', /the server that it redirects to answers 403/],
  },
  {
    ...{ what: 'redirects for ever', fault: { kind: 'redirect', to: 'itself' } },
    says: [503, 'UNAVAILABLE', /redirects more than 5 times/],
  },
  {
    ...{ what: 'redirects to a link-local address', fault: { kind: 'redirect', to: 'http://169.254.169.254/latest/' } },
    says: [503, 'UNAVAILABLE', /it redirects to an address that may not be reached/],
  },
  {
    ...{ what: 'redirects to a private address', fault: { kind: 'redirect', to: 'https://10.0.0.1/blob' } },
    says: [503, 'UNAVAILABLE', /it redirects to an address that may not be reached/],
  },
  {
    ...{ what: 'needs a token that is never good', fault: { kind: 'unauthorized' } },
    says: [403, 'DENIED', /^The authentication to the upstream registry failed/],
  },
  {
    ...{ what: 'is a page of HTML', match: { at: 'registry' } },
    fault: { kind: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' },
  },
]

describe('a layer of an upstream that', () => {
  for (const { what, match = {}, fault, ranges, says } of cases) {
    test(`${what} ends in an error, and comes once the upstream is mended`, async () => {
      await using staged = await stage(match, fault, ranges)
      const { session, layer, pullLayer } = staged

      const failed = await pullLayer()
      if (says === undefined) assert.ok(failed === 'cut' || failed.status >= 500, JSON.stringify(failed))
      else {
        assert.ok(failed !== 'cut')
        assert.deepEqual([failed.status, failed.error], says.slice(0, 2))
        assert.match(failed.message, says[2])
        assert.doesNotMatch(failed.message, /127\.0\.0\.1|169\.254|10\.0\.0/)
      }

      session.hub.recover()
      const since = performance.now()
      const pulled = await pullLayer()
      assert.ok(pulled !== 'cut' && pulled.body.equals(layer.bytes))
      assert.ok(performance.now() - since < 5_000)
      await nothingHalfCached(session.server)
    })
  }
})

describe('a layer of an upstream comes whole although', () => {
  for (const ranges of [true, false]) {
    test(`it is cut in mid-layer, ${ranges ? 'with' : 'without'} ranges`, async () => {
      await using staged = await stage({}, undefined, ranges)
      const { session, layer } = staged
      const other = image({ seed: 'other', layers: [300_000] })
      session.hub.content.push(repository, other, 'other')
      const cut = other.blobs[1]
      assert.ok(cut)
      session.hub.fail({ at, reference: cut.digest }, { kind: 'cut', afterBytes: 100_000 }, 1)
      await session.get(`hub/${repository}/manifests/other`)
      const { body } = await session.get(`hub/${repository}/blobs/${cut.digest}`)
      assert.ok(body.equals(cut.bytes))
      assert.notEqual(cut.digest, layer.digest)
      const [, again] = session.hub.log.requests.filter((each) => each.at === at && each.reference === cut.digest)
      assert.match(String(again?.headers.range), /^bytes=\d+-$/)
      await nothingHalfCached(session.server)
    })
  }

  test('its token and its link expire in mid-layer', async () => {
    await using session = await startCacheSession({
      hub: { tokenSeconds: 1, cdnLinkMs: 300, cdnBytesPerSecond: 200_000 },
    })
    const { hub } = session
    const app = image({ layers: [300_000] })
    const layer = app.blobs[1]
    assert.ok(layer)
    hub.content.push(repository, app, 'latest')
    hub.fail({ at, reference: layer.digest }, { kind: 'cut', afterBytes: 250_000 }, 1)
    await session.get(`hub/${repository}/manifests/latest`)
    const { status, message, body } = await session.get(`hub/${repository}/blobs/${layer.digest}`)
    assert.equal(status, 200, message)
    assert.ok(body.equals(layer.bytes))
    await nothingHalfCached(session.server)
  })
})

test('a layer that never comes slows no other pull', async () => {
  await using session = await startCacheSession()
  const { hub, get } = session
  const [silent, good] = [image({ seed: 'silent', layers: [50_000] }), image({ seed: 'good', layers: [50_000] })]
  hub.content.push('library/silent', silent, 'latest')
  hub.content.push('library/good', good, 'latest')
  hub.fail({ kind: 'blobs', repository: 'library/silent' }, { kind: 'silence' })
  await get('hub/library/silent/manifests/latest')
  const stuck = Array.from({ length: 100 }, (_, place) =>
    get(`hub/library/silent/blobs/${silent.blobs[place % 2]?.digest}`).catch(() => {}),
  )

  const since = performance.now()
  assert.equal((await get('hub/library/good/manifests/latest')).status, 200)
  for (const blob of good.blobs) {
    const { body } = await get(`hub/library/good/blobs/${blob.digest}`)
    assert.ok(body.equals(blob.bytes))
  }
  // The layers that are stuck stay so for half a minute.
  assert.ok(performance.now() - since < 5_000)
  hub.behaviour.down = true
  hub.recover()
  await session[Symbol.asyncDispose]()
  await Promise.all(stuck)
})
