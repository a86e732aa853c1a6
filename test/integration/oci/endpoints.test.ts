/** What is asked where nothing is, by methods that nothing serves, or answered before the client has finished. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { digest } from '#test/support/images/content.ts'
import { openRawConnection } from '#test/support/raw-connection.ts'
import { eachServerInCi, expect } from './world.ts'

eachServerInCi('the endpoints', (world) => {
  const { call } = world

  test('where no endpoint is, the answer says so in the specification’s form', async () => {
    const name = await world.repository()
    for (const path of [
      '/v2/x',
      `/v2/${name}`,
      `/v2/${name}/`,
      `/v2/${name}/layers/x`,
      '/v2/_catalog/x',
      '/v2/a%2Fb/tags/list',
    ]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = expect(await call(method, path), 404, 'UNSUPPORTED')
        assert.ok(answer.message.includes(path))
      }
    }
  })

  test('a method that an endpoint does not serve is 405', async () => {
    const name = await world.repository()
    const some = digest(Buffer.from('x'))
    const unserved = [
      ['/v2/', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
      ['/v2/_catalog', 'POST', 'DELETE'],
      [`/v2/${name}/tags/list`, 'POST', 'PUT', 'DELETE'],
      [`/v2/${name}/manifests/latest`, 'POST', 'PATCH'],
      [`/v2/${name}/blobs/${some}`, 'POST', 'PUT', 'PATCH'],
      [`/v2/${name}/blobs/uploads/`, 'GET', 'PUT', 'PATCH', 'DELETE'],
      [`/v2/${name}/referrers/${some}`, 'POST', 'PUT', 'DELETE'],
    ] as const
    for (const [path, ...methods] of unserved) {
      for (const method of methods) {
        const { headers } = expect(await call(method, path), 405, 'UNSUPPORTED')
        assert.ok(headers.allow && !headers.allow.includes(method), 'it says which methods are')
      }
    }
  })

  test('HEAD is GET without a body', async () => {
    const name = await world.repository()
    for (const path of ['/v2/', '/v2/_catalog', `/v2/${name}/tags/list`]) {
      const { body, headers } = expect(await call('HEAD', path), 200)
      assert.equal(body.length, 0)
      assert.equal(headers['content-length'], String((await call('GET', path)).body.length))
    }
  })

  test('a repository’s name that cannot be one is refused by its name', async () => {
    for (const name of ['UPPER', 'a', 'x_', 'a//b', '.hidden', 'a%20b', 'x'.repeat(257)]) {
      const answer = expect(await call('GET', `/v2/${name}/tags/list`), 400, 'NAME_INVALID')
      assert.ok(answer.message.includes(decodeURIComponent(name)))
    }
    expect(await call('POST', '/v2/UPPER/blobs/uploads/'), 400, 'NAME_INVALID')
    expect(await call('PUT', '/v2/UPPER/manifests/latest', { body: '{}' }), 400, 'NAME_INVALID')
  })

  test('names of the longest and the shortest kind are served', async () => {
    for (const name of ['ab', `${'a/'.repeat(127)}bc`]) {
      await world.client.createRepository(name)
      expect(await call('GET', `/v2/${name}/tags/list`), 200)
    }
  })

  test('a stranger is refused, and what it goes on to send is not read for ever', { timeout: 30_000 }, async () => {
    const { port } = new URL(world.server.url)
    await using connection = await openRawConnection(Number(port))
    connection.socket.write(
      'PATCH /v2/some/app/blobs/uploads/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`
    const sending = (): void => {
      while (!connection.socket.destroyed && connection.socket.write(chunk));
      if (!connection.socket.destroyed) connection.socket.once('drain', sending)
    }
    sending()
    await connection.closed
    assert.match(connection.received(), /^HTTP\/1.1 401/)
  })

  test('a refusal while a large body still comes reaches the client, and the connection goes on', async () => {
    const name = await world.repository()
    const chunk = Buffer.alloc(1_000_000)
    const large = () => Readable.from(Array.from({ length: 30 }, () => chunk))
    const upload = await world.startUpload(name)
    const refused = [
      ['PATCH', `/v2/${name}/blobs/uploads/none`, 404],
      ['PATCH', upload, 416],
      ['POST', `/v2/no/such/blobs/uploads/?digest=${digest(chunk)}`, 404],
      ['PUT', `/v2/${name}/manifests/large`, 413],
      ['PUT', `/v2/${name}/tags/list`, 405],
    ] as const
    for (const [method, path, status] of refused) {
      const headers = { 'content-range': path === upload ? '5-9' : undefined }
      expect(await call(method, path, { body: large(), headers }), status)
      const withLength = { 'content-length': '30000000', ...(path === upload && { 'content-range': '5-30000004' }) }
      expect(await call(method, path, { body: large(), headers: withLength }), status)
      expect(await call('GET', '/v2/'), 200)
    }
    expect(await call('PATCH', upload, { body: large(), headers: { authorization: undefined } }), 401, 'UNAUTHORIZED')
    expect(await call('GET', upload), 204)
  })

  test('requests behind a refused one on the same connection are answered in turn', async () => {
    const name = await world.repository()
    await using raw = await openRawConnection(Number(new URL(world.server.url).port))
    const head = (method: string, path: string, lengthBytes: number) =>
      [
        `${method} ${path} HTTP/1.1`,
        `host: ${world.server.host}`,
        `authorization: ${world.client.registry.authorization}`,
        `content-length: ${lengthBytes}`,
        '\r\n',
      ].join('\r\n')
    raw.socket.write(head('PATCH', `/v2/${name}/blobs/uploads/none`, 500_000))
    raw.socket.write(Buffer.alloc(500_000))
    raw.socket.write(head('GET', `/v2/${name}/tags/list`, 0))
    await raw.receive('"tags":[]')
    const statuses = [...raw.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    assert.deepEqual(statuses, ['404', '200'])
  })

  test('a body past its Content-Length is refused and stores nothing', async () => {
    const name = await world.repository()
    const bytes = world.bytes(200)
    await using raw = await openRawConnection(Number(new URL(world.server.url).port))
    raw.socket.write(
      [
        `POST /v2/${name}/blobs/uploads/?digest=${digest(bytes)} HTTP/1.1`,
        `host: ${world.server.host}`,
        `authorization: ${world.client.registry.authorization}`,
        'content-length: 100',
        '\r\n',
      ].join('\r\n'),
    )
    raw.socket.write(bytes)
    await raw.closed
    assert.match(raw.received(), /^HTTP\/1\.1 400 /)
    expect(await call('GET', `/v2/${name}/blobs/${digest(bytes)}`), 404, 'BLOB_UNKNOWN')
  })
})
