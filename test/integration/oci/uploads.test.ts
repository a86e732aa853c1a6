/** `/v2/<name>/blobs/uploads/`: every way in which a blob comes, whole, in chunks, streamed or mounted, and what goes wrong on the way. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import type { Answer } from '#test/support/oci-client.ts'
import { pushBlob } from '#test/support/push.ts'
import { openRawConnection } from '#test/support/raw-connection.ts'
import { until } from '#test/support/until.ts'
import { draftSize, eachServerInCi, expect, locationOf } from './world.ts'

eachServerInCi('uploads', (world) => {
  const { call } = world
  const noDigest = digest(Buffer.from('something else'))

  async function expectBlob(repository: string, bytes: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256') {
    const answer = expect(await call('GET', `/v2/${repository}/blobs/${digest(bytes, algorithm)}`), 200)
    assert.ok(answer.body.equals(bytes))
  }

  async function expectNoBlob(repository: string, bytes: Buffer) {
    expect(await call('GET', `/v2/${repository}/blobs/${digest(bytes)}`), 404, 'BLOB_UNKNOWN')
  }

  function expectCreated(answer: Answer, repository: string, digest: string) {
    expect(answer, 201)
    assert.equal(answer.headers.location, `/v2/${repository}/blobs/${digest}`)
    assert.equal(answer.headers['docker-content-digest'], digest)
  }

  async function expectOffset(path: string, offset: number) {
    const answer = expect(await call('GET', path), 204)
    assert.equal(answer.headers.range, `0-${Math.max(offset - 1, 0)}`)
    assert.equal(answer.headers.location, path)
  }

  const patch = (path: string, body: Uint8Array | Readable, range?: string) =>
    call('PATCH', path, { body, headers: { 'content-range': range } })

  test('POST begins an upload, whose URL holds no credential', async () => {
    const name = await world.repository()
    const answer = expect(await call('POST', `/v2/${name}/blobs/uploads/`), 202)
    const path = locationOf(answer)
    assert.equal(path, `/v2/${name}/blobs/uploads/${answer.headers['docker-upload-uuid']}`)
    assert.equal(answer.headers.range, '0-0')
    await expectOffset(path, 0)
    expect(await call('GET', path, { headers: { authorization: undefined } }), 401, 'UNAUTHORIZED')
  })

  test('POST with a digest stores the whole blob', async () => {
    const name = await world.repository()
    const bytes = world.bytes(100_000)
    const path = `/v2/${name}/blobs/uploads/?digest=${digest(bytes)}`
    expectCreated(await call('POST', path, { body: bytes }), name, digest(bytes))
    expectCreated(await call('POST', path, { body: Readable.from([bytes]) }), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('POST with a digest that does not fit stores nothing', async () => {
    const name = await world.repository()
    const bytes = world.bytes(1_000)
    const answer = await call('POST', `/v2/${name}/blobs/uploads/?digest=${noDigest}`, { body: bytes })
    expect(answer, 400, 'DIGEST_INVALID')
    assert.ok(answer.message.includes(digest(bytes)))
    await expectNoBlob(name, bytes)
    expect(await call('GET', `/v2/${name}/blobs/${noDigest}`), 404, 'BLOB_UNKNOWN')
  })

  test('a blob comes by PUT alone, by one PATCH, or by several with the last chunk in PUT', async () => {
    for (const cuts of [[], [60_000], [10_000, 60_000], [1, 2, 3, 99_999]]) {
      const name = await world.repository()
      const bytes = world.bytes(100_000)
      const path = await world.startUpload(name)
      let from = 0
      for (const to of cuts) {
        const answer = expect(await patch(path, bytes.subarray(from, to), `${from}-${to - 1}`), 202)
        assert.equal(answer.headers.range, `0-${to - 1}`)
        assert.equal(answer.headers.location, path)
        await expectOffset(path, to)
        from = to
      }
      const last = { body: bytes.subarray(from), headers: { 'content-range': `${from}-${bytes.length - 1}` } }
      expectCreated(await call('PUT', `${path}?digest=${digest(bytes)}`, last), name, digest(bytes))
      await expectBlob(name, bytes)
      expect(await call('GET', path), 404, 'BLOB_UPLOAD_UNKNOWN')
    }
  })

  test('a PUT without body ends what PATCH brought, streamed and without a length', async () => {
    const name = await world.repository()
    const bytes = world.bytes(2_500_000)
    const path = await world.startUpload(name)
    const chunks = Array.from({ length: 50 }, (_, at) => bytes.subarray(at * 50_000, (at + 1) * 50_000))
    expect(await patch(path, Readable.from(chunks)), 202)
    await expectOffset(path, bytes.length)
    expectCreated(await call('PUT', `${path}?digest=${digest(bytes)}`), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('a PUT that is repeated after its answer was lost is answered as the first, with a body or without', async () => {
    const name = await world.repository()
    const bytes = world.bytes(100_000)
    const path = await world.startUpload(name)
    const put = `${path}?digest=${digest(bytes)}`
    expectCreated(await call('PUT', put, { body: bytes }), name, digest(bytes))
    expectCreated(await call('PUT', put, { body: bytes }), name, digest(bytes))
    expectCreated(await call('PUT', put, { body: Readable.from([bytes]) }), name, digest(bytes))
    expectCreated(await call('PUT', put), name, digest(bytes))
    await expectBlob(name, bytes)

    expect(await call('PUT', `${path}?digest=${noDigest}`), 404, 'BLOB_UPLOAD_UNKNOWN')
    const other = await world.repository()
    expect(await call('PUT', put.replace(name, other)), 404, 'BLOB_UPLOAD_UNKNOWN')
    expect(await call('DELETE', `/v2/${name}/blobs/${digest(bytes)}`), 202)
    expect(await call('PUT', put), 404, 'BLOB_UPLOAD_UNKNOWN')
  })

  test('a blob of no bytes can be pushed in each way', async () => {
    const nothing = Buffer.alloc(0)
    const name = await world.repository()
    const path = await world.startUpload(name)
    expectCreated(await call('PUT', `${path}?digest=${digest(nothing)}`), name, digest(nothing))
    await expectBlob(name, nothing)
    const other = await world.repository()
    const whole = `/v2/${other}/blobs/uploads/?digest=${digest(nothing)}`
    expectCreated(await call('POST', whole, { body: nothing }), other, digest(nothing))
    await expectBlob(other, nothing)
  })

  test('sha512 proves a blob as well, which is then served under it', async () => {
    const name = await world.repository()
    const bytes = world.bytes(10_000)
    const sha512 = digest(bytes, 'sha512')
    const path = await world.startUpload(name)
    expect(await patch(path, bytes), 202)
    expectCreated(await call('PUT', `${path}?digest=${sha512}`), name, sha512)
    await expectBlob(name, bytes, 'sha512')
    await expectNoBlob(name, bytes)
  })

  test('a chunk out of order is refused with 416 and the range that counts, and changes nothing', async () => {
    const name = await world.repository()
    const bytes = world.bytes(3_000)
    const path = await world.startUpload(name)
    expect(await patch(path, bytes.subarray(0, 1_000), '0-999'), 202)
    for (const [from, to] of [
      [2_000, 3_000],
      [0, 1_000],
      [999, 1_999],
    ] as const) {
      for (const method of ['PATCH', 'PUT']) {
        const url = method === 'PUT' ? `${path}?digest=${digest(bytes)}` : path
        const headers = { 'content-range': `${from}-${to - 1}` }
        const answer = await call(method, url, { headers, body: bytes.subarray(from, to) })
        expect(answer, 416, 'BLOB_UPLOAD_INVALID')
        assert.equal(answer.headers.range, '0-999')
        assert.match(answer.message, /begins at byte 1000/)
      }
    }
    await expectOffset(path, 1_000)
    expect(await patch(path, bytes.subarray(1_000), '1000-2999'), 202)
    expectCreated(await call('PUT', `${path}?digest=${digest(bytes)}`), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('a Content-Range that is none, or does not fit the body, is refused and changes nothing', async () => {
    const path = await world.startUpload(await world.repository())
    for (const range of ['x', '0-', '5-1', '0-98', '0-100']) {
      expect(await patch(path, world.bytes(100), range), 416, 'BLOB_UPLOAD_INVALID')
    }
    for (const range of ['0-98', '0-100']) {
      const answer = await patch(path, Readable.from([world.bytes(100)]), range)
      expect(answer, 400, 'SIZE_INVALID')
    }
    await expectOffset(path, 0)
  })

  test('a wrong digest stores nothing, and the upload stands as it stood', async () => {
    const name = await world.repository()
    const bytes = world.bytes(2_000)
    const path = await world.startUpload(name)
    expect(await patch(path, bytes.subarray(0, 1_000)), 202)
    const wrong = `${path}?digest=${noDigest}`
    expect(await call('PUT', wrong, { body: bytes.subarray(1_000) }), 400, 'DIGEST_INVALID')
    await expectOffset(path, 1_000)
    expect(await call('PUT', wrong), 400, 'DIGEST_INVALID')
    await expectOffset(path, 1_000)
    expect(await call('GET', `/v2/${name}/blobs/${noDigest}`), 404, 'BLOB_UNKNOWN')
    await expectNoBlob(name, bytes)
    const right = `${path}?digest=${digest(bytes)}`
    expectCreated(await call('PUT', right, { body: bytes.subarray(1_000) }), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('a PUT without a digest, or with none that is one, is refused and changes nothing', async () => {
    const path = await world.startUpload(await world.repository())
    expect(await patch(path, world.bytes(10)), 202)
    const missing = expect(await call('PUT', path), 400, 'UNSUPPORTED')
    assert.match(missing.message, /'digest'/)
    for (const bad of ['', 'sha256:0', 'latest', '%00']) {
      expect(await call('PUT', `${path}?digest=${bad}`), 400, 'DIGEST_INVALID')
    }
    await expectOffset(path, 10)
  })

  test('a cancelled upload is gone', async () => {
    const path = await world.startUpload(await world.repository())
    expect(await patch(path, world.bytes(10)), 202)
    expect(await call('DELETE', path), 204)
    expect(await call('DELETE', path), 404, 'BLOB_UPLOAD_UNKNOWN')
    expect(await call('GET', path), 404, 'BLOB_UPLOAD_UNKNOWN')
    expect(await patch(path, world.bytes(10)), 404, 'BLOB_UPLOAD_UNKNOWN')
    expect(await call('PUT', `${path}?digest=${noDigest}`), 404, 'BLOB_UPLOAD_UNKNOWN')
  })

  test('an upload belongs to its repository', async () => {
    const [mine, other] = [await world.repository(), await world.repository()]
    const path = await world.startUpload(mine)
    const elsewhere = path.replace(mine, other)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect(await call(method, elsewhere), 404, 'BLOB_UPLOAD_UNKNOWN')
    }
    await expectOffset(path, 0)
  })

  test('an id that was never given is unknown, whatever it is', async () => {
    const name = await world.repository()
    for (const id of ['x', '..%2e', '00000000-0000-4000-8000-000000000000', '%00', '%F0%9F%92%A9', 'a'.repeat(900)]) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        expect(await call(method, `/v2/${name}/blobs/uploads/${id}`), 404)
      }
    }
    expect(await call('GET', `/v2/${name}/blobs/uploads/x`), 404, 'BLOB_UPLOAD_UNKNOWN')
  })

  test('in a repository that is not there nothing is begun, mounted or stored', async () => {
    const bytes = world.bytes(10)
    const name = await world.repository()
    await pushBlob(world.client.registry, name, { bytes, digest: digest(bytes), mediaType: mediaTypes.oci.layer })
    const path = '/v2/no/such/blobs/uploads/'
    expect(await call('POST', path), 404, 'NAME_UNKNOWN')
    expect(await call('POST', `${path}?digest=${digest(bytes)}`, { body: bytes }), 404, 'NAME_UNKNOWN')
    expect(await call('POST', `${path}?mount=${digest(bytes)}&from=${name}`), 404, 'NAME_UNKNOWN')
  })

  test('what cannot be mounted is uploaded instead', async () => {
    const [from, to] = [await world.repository(), await world.repository()]
    const missing = [`mount=${noDigest}&from=${from}`, `mount=${noDigest}&from=no/such`, `mount=${noDigest}`]
    for (const query of [...missing, `mount=x&from=${from}`, `mount=${noDigest}&from=UPPER`, 'mount=&from=']) {
      const answer = expect(await call('POST', `/v2/${to}/blobs/uploads/?${query}`), 202)
      await expectOffset(locationOf(answer), 0)
    }
  })

  /** Sends the beginning of a body of `announced` bytes, and hangs up once the server has begun to keep it. */
  async function breakOff(method: string, url: string, announced: number, beginning: Buffer): Promise<void> {
    await using raw = await openRawConnection(Number(new URL(world.server.url).port))
    raw.socket.write(head(method, url, { 'content-length': announced }))
    raw.socket.write(beginning)
    await until(async () => (await draftSize(world.server, url)) > 0)
  }

  async function offsetOf(path: string): Promise<number> {
    const { headers } = expect(await call('GET', path), 204)
    const [, last = ''] = String(headers.range).split('-')
    return last === '0' ? 0 : Number(last) + 1
  }

  test('a chunk that breaks off is kept as far as it came, and the upload goes on from there', async () => {
    const name = await world.repository()
    const bytes = world.bytes(5_000_000)
    const path = await world.startUpload(name)
    await breakOff('PATCH', path, bytes.length, bytes.subarray(0, 4_000_000))
    await until(async () => (await offsetOf(path)) > 0)
    const offset = await offsetOf(path)
    assert.ok(offset <= 4_000_000)
    expect(await patch(path, bytes.subarray(offset), `${offset}-${bytes.length - 1}`), 202)
    expectCreated(await call('PUT', `${path}?digest=${digest(bytes)}`), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('a PUT that breaks off stores nothing, and can be sent again', async () => {
    const name = await world.repository()
    const bytes = world.bytes(5_000_000)
    const path = await world.startUpload(name)
    const put = `${path}?digest=${digest(bytes)}`
    await breakOff('PUT', put, bytes.length, bytes.subarray(0, 4_000_000))
    await until(async () => (await offsetOf(path)) > 0)
    await expectNoBlob(name, bytes)
    const offset = await offsetOf(path)
    expectCreated(await call('PUT', put, { body: bytes.subarray(offset) }), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('a whole blob whose body breaks off stores nothing', async () => {
    const name = await world.repository()
    const bytes = world.bytes(10_000)
    {
      await using raw = await openRawConnection(Number(new URL(world.server.url).port))
      const path = `/v2/${name}/blobs/uploads/?digest=${digest(bytes.subarray(0, 4_000))}`
      raw.socket.write(head('POST', path, { 'content-length': bytes.length }))
      raw.socket.end(bytes.subarray(0, 4_000))
      await raw.closed
    }
    await expectNoBlob(name, bytes.subarray(0, 4_000))
  })

  /** What a client does that lost its connection: it tries again, and is told from where. */
  async function takeOver(path: string): Promise<number> {
    const answer = await patch(path, Buffer.alloc(1), `${2 ** 40}-${2 ** 40}`)
    expect(answer, 416, 'BLOB_UPLOAD_INVALID')
    const offset = await offsetOf(path)
    assert.ok(offset > 0 && offset <= 4_000_000)
    return offset
  }

  test('a newer request takes the upload over from one that hangs', { timeout: 20_000 }, async () => {
    const name = await world.repository()
    const bytes = world.bytes(5_000_000)
    const path = await world.startUpload(name)
    const hanging = new PassThrough()
    const first = patch(path, hanging)
    hanging.write(bytes.subarray(0, 4_000_000))
    await until(async () => (await draftSize(world.server, path)) > 0)
    const offset = await takeOver(path)
    expect(await patch(path, bytes.subarray(offset), `${offset}-${bytes.length - 1}`), 202)
    hanging.end()
    expect(await first, 409, 'BLOB_UPLOAD_INVALID')
    expectCreated(await call('PUT', `${path}?digest=${digest(bytes)}`), name, digest(bytes))
    await expectBlob(name, bytes)
  })

  test('a client whose upload was taken over can send the rest, and go on', { timeout: 20_000 }, async () => {
    const path = await world.startUpload(await world.repository())
    await using raw = await openRawConnection(Number(new URL(world.server.url).port))
    raw.socket.write(head('PATCH', path, { 'content-length': 30_000_000 }))
    raw.socket.write(world.bytes(4_000_000))
    await until(async () => (await draftSize(world.server, path)) > 0)
    await takeOver(path)
    await raw.receive('HTTP/1.1 409')
    raw.socket.write(Buffer.alloc(26_000_000))
    raw.socket.write(head('GET', '/v2/', {}))
    await raw.receive('HTTP/1.1 200')
  })

  test('a hanging chunk keeps nobody from cancelling', { timeout: 20_000 }, async () => {
    const path = await world.startUpload(await world.repository())
    const hanging = new PassThrough()
    const first = patch(path, hanging)
    hanging.write(world.bytes(10_000))
    expect(await call('DELETE', path), 204)
    hanging.end()
    const { status } = await first
    assert.ok(status === 409 || status === 404, String(status))
    expect(await call('GET', path), 404, 'BLOB_UPLOAD_UNKNOWN')
  })

  test('what comes for a repository that is deleted meanwhile is refused as for one that is not there', async () => {
    for (const way of ['POST', 'PATCH', 'PUT'] as const) {
      const name = await world.repository()
      const bytes = world.bytes(1_000)
      const answer = await sendWhile(way, name, bytes, () => world.client.deleteRepository(name))
      expect(answer, 404, 'NAME_UNKNOWN')
    }
  })

  test('what comes for an upload of a repository that is made anew meanwhile is for none of its uploads', async () => {
    for (const way of ['PATCH', 'PUT'] as const) {
      const name = await world.repository()
      const bytes = world.bytes(1_000)
      const answer = await sendWhile(way, name, bytes, async () => {
        await world.client.deleteRepository(name)
        await world.client.createRepository(name)
      })
      // The upload, or while there was no repository yet that.
      assert.match(expect(answer, 404).body.toString(), /BLOB_UPLOAD_UNKNOWN|NAME_UNKNOWN/)
      expect(await call('HEAD', `/v2/${name}/blobs/${digest(bytes)}`), 404)
    }
  })

  /** Sends half of a blob, waits for `meanwhile`, and sends the rest, of which no draft may be left. */
  async function sendWhile(way: 'POST' | 'PATCH' | 'PUT', name: string, bytes: Buffer, meanwhile: () => Promise<void>) {
    const path = way === 'POST' ? `/v2/${name}/blobs/uploads/` : await world.startUpload(name)
    const drafts = async () => (await readdir(join(world.server.dataDir, 'blobs/drafts'))).length
    const before = await drafts()
    const body = new PassThrough()
    const coming = call(way, way === 'PATCH' ? path : `${path}?digest=${digest(bytes)}`, { body })
    body.write(bytes.subarray(0, 500))
    await until(async () => (await drafts()) > before)
    await meanwhile()
    body.end(bytes.subarray(500))
    const answer = await coming
    assert.equal(await drafts(), before)
    return answer
  }

  function head(method: string, path: string, headers: Record<string, string | number>): string {
    const lines = Object.entries({
      host: world.server.host,
      authorization: world.client.registry.authorization,
      ...headers,
    })
    return [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')
  }
})
