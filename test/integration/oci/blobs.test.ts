/** `/v2/<name>/blobs/<digest>`: what is served, whole and in parts, to which repository, and what may be deleted. */
import assert from 'node:assert/strict'
import { rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { BatchCheckLayerAvailabilityCommand } from '@aws-sdk/client-ecr'
import { callAdmin } from '#test/support/admin.ts'
import { image, mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { pullWhole, pushBlob, pushImage } from '#test/support/push.ts'
import { eachServerInCi, expect } from './world.ts'

eachServerInCi('blobs', (world) => {
  const { call } = world
  async function pushed(repository: string, bytes = world.bytes(3_000_000)) {
    const blob = { bytes, digest: digest(bytes), mediaType: mediaTypes.oci.layer }
    await pushBlob(world.client.registry, repository, blob)
    return { ...blob, path: `/v2/${repository}/blobs/${blob.digest}` }
  }

  test('GET gives the bytes, HEAD the same headers without them', async () => {
    const { bytes, path, digest } = await pushed(await world.repository())
    const get = expect(await call('GET', path), 200)
    assert.ok(get.body.equals(bytes))
    const head = expect(await call('HEAD', path), 200)
    assert.equal(head.body.length, 0)
    for (const { headers } of [get, head]) {
      assert.equal(headers['content-length'], String(bytes.length))
      assert.equal(headers['content-type'], 'application/octet-stream')
      assert.equal(headers['docker-content-digest'], digest)
      assert.equal(headers['accept-ranges'], 'bytes')
      assert.equal(headers.etag, `"${digest}"`)
    }
  })

  test('a blob of no bytes is one', async () => {
    const { path } = await pushed(await world.repository(), Buffer.alloc(0))
    const { headers, body } = expect(await call('GET', path), 200)
    assert.equal(headers['content-length'], '0')
    assert.equal(body.length, 0)
    expect(await call('GET', path, { headers: { range: 'bytes=0-' } }), 416)
  })

  test('a range gives its bytes and no others', async () => {
    const { bytes, path } = await pushed(await world.repository())
    const last = bytes.length - 1
    const ranges = [
      ['bytes=0-0', 0, 0],
      ['bytes=10-19', 10, 19],
      ['bytes=1048575-2097153', 1_048_575, 2_097_153],
      ['bytes=2999990-', 2_999_990, last],
      ['bytes=-10', last - 9, last],
      ['bytes=5-99999999', 5, last],
    ] as const
    for (const [range, from, to] of ranges) {
      const { headers, body } = expect(await call('GET', path, { headers: { range } }), 206)
      assert.equal(headers['content-range'], `bytes ${from}-${to}/${bytes.length}`)
      assert.equal(headers['content-length'], String(to - from + 1))
      assert.ok(body.equals(bytes.subarray(from, to + 1)), range)
    }
  })

  test('content that the client has already is 304, and content that it does not want is 412', async () => {
    const { bytes, path, digest } = await pushed(await world.repository())
    for (const method of ['GET', 'HEAD']) {
      const same = expect(
        await call(method, path, { headers: { 'if-none-match': `"${digest}"`, range: 'bytes=0-9' } }),
        304,
      )
      assert.equal(same.body.length, 0)
      assert.deepEqual([same.headers.etag, same.headers['docker-content-digest']], [`"${digest}"`, digest])
      assert.match(same.headers['cache-control'] ?? '', /immutable/)
      expect(await call(method, path, { headers: { 'if-match': '"other"' } }), 412)
    }
    const headers = { 'if-none-match': '"other"', 'if-match': `"${digest}"` }
    assert.ok(expect(await call('GET', path, { headers }), 200).body.equals(bytes))
    const absent = path.replace(/[0-9a-f]{64}$/, 'a'.repeat(64))
    expect(await call('GET', absent, { headers: { 'if-none-match': '*' } }), 404, 'BLOB_UNKNOWN')
  })

  test('a range that is wanted of other content only gives the whole', async () => {
    const { bytes, path, digest } = await pushed(await world.repository())
    const range = 'bytes=0-9'
    expect(await call('GET', path, { headers: { range, 'if-range': `"${digest}"` } }), 206)
    for (const condition of ['"other"', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
      const { body } = expect(await call('GET', path, { headers: { range, 'if-range': condition } }), 200)
      assert.ok(body.equals(bytes))
    }
  })

  test('a range past the end is 416 and tells the size', async () => {
    const { path } = await pushed(await world.repository())
    for (const range of ['bytes=3000000-', 'bytes=9999999-99999999', 'bytes=-0']) {
      const answer = expect(await call('GET', path, { headers: { range } }), 416, 'UNSUPPORTED')
      assert.equal(answer.headers['content-range'], 'bytes */3000000')
    }
  })

  test('several ranges, and what is no range, give the whole', async () => {
    const { bytes, path } = await pushed(await world.repository(), world.bytes(100))
    for (const range of ['bytes=0-1,5-6', 'bytes=9-3', 'lines=0-1', 'x']) {
      assert.ok(expect(await call('GET', path, { headers: { range } }), 200).body.equals(bytes))
    }
  })

  test('a digest may come percent-encoded', async () => {
    const { bytes, path } = await pushed(await world.repository(), world.bytes(100))
    assert.ok(expect(await call('GET', path.replace('sha256:', 'sha256%3A')), 200).body.equals(bytes))
  })

  test('a blob that is not there is unknown, and so are those of another repository', async () => {
    const mine = await world.repository()
    const other = await world.repository()
    const blob = await pushed(other)
    for (const wanted of [blob.digest, digest(Buffer.from('nowhere'))]) {
      const path = `/v2/${mine}/blobs/${wanted}`
      const answer = expect(await call('GET', path), 404, 'BLOB_UNKNOWN')
      assert.ok(answer.message.includes(wanted) && answer.message.includes(mine))
      expect(await call('HEAD', path), 404)
      expect(await call('DELETE', path), 404, 'BLOB_UNKNOWN')
    }
    expect(await call('GET', blob.path), 200)
  })

  test('in a repository that is not there the name is unknown, and the way out is told', async () => {
    const path = `/v2/no/such/blobs/${digest(Buffer.from('x'))}`
    const answer = expect(await call('GET', path), 404, 'NAME_UNKNOWN')
    assert.match(
      answer.message,
      /^The repository with name 'no\/such' does not exist in the registry with id '000000000000'/,
    )
    assert.match(answer.message, /aws ecr create-repository --repository-name no\/such/)
    expect(await call('HEAD', path), 404)
    expect(await call('DELETE', path), 404, 'NAME_UNKNOWN')
  })

  test('a digest that is none is refused', async () => {
    const name = await world.repository()
    for (const bad of ['sha256:0', 'latest', `md5:${'0'.repeat(32)}`, `sha256:${'A'.repeat(64)}`, '%00']) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await call(method, `/v2/${name}/blobs/${bad}`)
        assert.ok(answer.status === 400 || answer.status === 404, `${bad} ${answer.status}`)
      }
    }
    expect(await call('GET', `/v2/${name}/blobs/sha256:0`), 400, 'DIGEST_INVALID')
  })

  test('what no manifest refers to can be deleted, from this repository alone', async () => {
    const [one, other] = [await world.repository(), await world.repository()]
    const bytes = world.bytes(1_000)
    const here = await pushed(one, bytes)
    const there = await pushed(other, bytes)
    expect(await call('DELETE', here.path), 202)
    expect(await call('GET', here.path), 404, 'BLOB_UNKNOWN')
    expect(await call('DELETE', here.path), 404, 'BLOB_UNKNOWN')
    assert.ok(expect(await call('GET', there.path), 200).body.equals(bytes))
  })

  test('what a manifest refers to cannot be deleted until that is gone, from the recycle bin too', async () => {
    const name = await world.repository()
    const app = image({ seed: `blobs ${name} ${world.dialect}` })
    await pushImage(world.client.registry, name, app, '1')
    for (const blob of app.blobs) {
      const path = `/v2/${name}/blobs/${blob.digest}`
      const answer = expect(await call('DELETE', path), 405, 'UNSUPPORTED')
      assert.ok(answer.message.includes(app.digest))
      expect(await call('GET', path), 200)
    }
    expect(await call('DELETE', `/v2/${name}/manifests/${app.digest}`), 202)
    for (const blob of app.blobs) {
      const answer = expect(await call('DELETE', `/v2/${name}/blobs/${blob.digest}`), 405, 'UNSUPPORTED')
      const remedy = `Purge that first: lading recycle-bin purge ${name} ${app.digest}`
      assert.ok(answer.message.endsWith(`in the recycle bin, which could not be restored without it. ${remedy}`))
    }
    const restore = { repositoryName: name, imageDigest: app.digest }
    const { server } = world
    assert.equal((await callAdmin(server, server.credentials, 'RestoreDeletedImage', restore)).status, 200)
    assert.equal(await pullWhole(world.client.registry, name, '1'), app.digest)
    expect(await call('DELETE', `/v2/${name}/manifests/${app.digest}`), 202)
    assert.equal((await callAdmin(server, server.credentials, 'PurgeDeletedImages', restore)).status, 200)
    for (const blob of app.blobs) expect(await call('DELETE', `/v2/${name}/blobs/${blob.digest}`), 202)
  })

  test('a blob whose file is gone or cut short counts as absent, and the next push heals it', async () => {
    await world.allowMounts()
    for (const damage of [(file: string) => rm(file), (file: string) => truncate(file, 1_000)]) {
      const [name, other] = [await world.repository(), await world.repository()]
      const app = image({ seed: `damaged ${damage}`, layers: [10_000] })
      await pushImage(world.client.registry, name, app)
      const { bytes, digest } = app.blobs.at(-1) ?? assert.fail('an image has a layer')
      const path = `/v2/${name}/blobs/${digest}`
      const hex = digest.slice('sha256:'.length)
      await damage(join(world.server.dataDir, 'blobs/sha256', hex.slice(0, 2), hex))

      for (const method of ['HEAD', 'GET']) expect(await call(method, path), 404)
      const check = new BatchCheckLayerAvailabilityCommand({ repositoryName: name, layerDigests: [digest] })
      const { layers } = await world.client.ecr.send(check)
      assert.equal(layers?.[0]?.layerAvailability, 'UNAVAILABLE')
      expect(await call('POST', `/v2/${other}/blobs/uploads/?mount=${digest}&from=${name}`), 202)

      expect(await call('POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: bytes }), 201)
      assert.ok(expect(await call('GET', path), 200).body.equals(bytes))
      expect(await call('HEAD', path), 200)
      expect(await call('POST', `/v2/${other}/blobs/uploads/?mount=${digest}&from=${name}`), 201)
    }
  })
})
