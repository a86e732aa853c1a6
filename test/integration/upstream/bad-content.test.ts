/** Upstreams that send other content than they promise: pulls end in a clear refusal or in success, and nothing is half cached. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { image, rewritten } from '#test/support/images/build.ts'
import { startCacheSession } from '#test/support/upstreams/cache-session.ts'

const path = 'hub/library/app/manifests/latest'

describe('an upstream that sends other content than it promises', () => {
  test('a manifest that does not match its digest is refused, and served once the upstream is mended', async () => {
    await using session = await startCacheSession()
    const { hub, get } = session
    const app = image({ layers: [1_000] })
    hub.content.push('library/app', app, 'latest')
    hub.fail({ kind: 'manifests' }, { kind: 'alter' })
    const refused = await get(path)
    assert.deepEqual([refused.status, refused.error], [503, 'UNAVAILABLE'])
    assert.match(refused.body.toString(), /does not match its digest/)
    hub.recover()
    session.pass(11_000)
    const mended = await get(path)
    assert.equal(mended.status, 200)
    assert.ok(mended.body.equals(app.bytes))
  })

  test('a page of HTML in place of a manifest is refused', async () => {
    await using session = await startCacheSession()
    const { hub, get } = session
    hub.fail(
      { kind: 'manifests' },
      { kind: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>sign in</html>' },
    )
    const refused = await get(path)
    assert.deepEqual([refused.status, refused.error], [503, 'UNAVAILABLE'])
  })

  test('an answer of 10 GB to a request for a manifest is left at once', async () => {
    await using session = await startCacheSession()
    const { hub, get } = session
    hub.fail({ kind: 'manifests', method: 'GET' }, { kind: 'endless' })
    const refused = await get(path)
    assert.deepEqual([refused.status, refused.error], [503, 'UNAVAILABLE'])
    assert.match(refused.body.toString(), /larger than/)
  })

  test('a layer with another content ends the pull, is not kept, and is pulled once the upstream is mended', async () => {
    await using session = await startCacheSession()
    const { hub, get } = session
    const app = image({ layers: [300_000] })
    const layer = app.blobs[1]
    assert.ok(layer)
    hub.content.push('library/app', app, 'latest')
    hub.fail({ at: 'cdn', reference: layer.digest }, { kind: 'alter' })
    assert.equal((await get(path)).status, 200)
    const [pulled] = await Promise.allSettled([get(`hub/library/app/blobs/${layer.digest}`)])
    // The connection ends before the last byte, or the answer is a refusal.
    assert.ok(pulled.status === 'rejected' || pulled.value.status !== 200)
    hub.recover()
    session.pass(11_000)
    const mended = await get(`hub/library/app/blobs/${layer.digest}`)
    assert.equal(mended.status, 200)
    assert.ok(mended.body.equals(layer.bytes))
  })

  test('a layer is continued where the connection broke, with and without ranges', async () => {
    await using session = await startCacheSession()
    const { hub, get } = session
    for (const ranges of [true, false]) {
      hub.behaviour.ranges = ranges
      const app = image({ layers: [400_000], seed: String(ranges) })
      const layer = app.blobs[1]
      assert.ok(layer)
      hub.content.push('library/app', app, `ranges-${ranges}`)
      hub.fail({ at: 'cdn', reference: layer.digest }, { kind: 'cut', afterBytes: 150_000 }, 1)
      await get(`hub/library/app/manifests/ranges-${ranges}`)
      const { status, body } = await get(`hub/library/app/blobs/${layer.digest}`)
      assert.equal(status, 200)
      assert.ok(body.equals(layer.bytes))
    }
  })

  test('a manifest may list one blob twice', async () => {
    await using session = await startCacheSession()
    const { hub, get } = session
    const app = image({ layers: [1_000] })
    const { layers } = JSON.parse(app.bytes.toString())
    const twice = rewritten(app, { layers: [...layers, ...layers] })
    hub.content.push('library/app', twice, 'latest')
    assert.equal((await get(path)).status, 200)
    for (const { digest, bytes } of app.blobs) {
      assert.ok((await get(`hub/library/app/blobs/${digest}`)).body.equals(bytes))
    }
  })
})
