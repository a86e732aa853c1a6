import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createServer, type ServerOptions } from '#http/server.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { logLines } from '#test/support/log-lines.ts'
import { openRawConnection, type RawConnection } from '#test/support/raw-connection.ts'

const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

interface Running extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly logged: ReturnType<typeof logLines>
  stop(): Promise<void>
}

async function serve(
  routes: (app: FastifyInstance) => void = () => {},
  options: Partial<ServerOptions> = {},
): Promise<Running> {
  const logged = logLines()
  const server = createServer({ log: logged.log, checks: [], ...options })
  routes(server.app)
  const port = await server.listen({ host: '127.0.0.1', port: 0 })
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= server.stop())
  return { url: `http://127.0.0.1:${port}`, port, logged, stop, [Symbol.asyncDispose]: stop }
}

/** Waits until a log line has that message, by yielding to the event loop. */
async function logLine(logged: Running['logged'], msg: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = logged.lines().find((candidate) => candidate.msg === msg)
    if (line) return line
    await new Promise(setImmediate)
  }
}

test('every answer carries an id of its own, that of the log, whatever id the client sends', async () => {
  await using server = await serve((app) => {
    app.get('/fine', (request, reply) => reply.send({ id: request.id }))
    app.get('/broken', () => {
      throw new Error('inside')
    })
    app.get('/hijacked', (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-length': 0 }).end()
    })
  })
  const ids = new Set<string>()
  for (const path of ['/fine', '/fine', '/broken', '/hijacked', '/nothing', '/bad%', '/livez']) {
    const response = await fetch(`${server.url}${path}`, { headers: { 'x-amzn-requestid': 'mine' } })
    const id = response.headers.get('x-amzn-requestid') ?? ''
    assert.match(id, uuidV4, path)
    if (path === '/fine') assert.deepEqual(await response.json(), { id })
    ids.add(id)
  }
  assert.equal(ids.size, 7)
  await server.stop()
  const loggedIds = server.logged.lines().map(({ requestId }) => requestId)
  assert.deepEqual(new Set(loggedIds), ids)
})

test('an unknown route, a bad path and a wrong method are answered with small JSON', async () => {
  await using server = await serve((app) => app.get('/fine', (_request, reply) => reply.send('')))
  const answerOf = async (path: string, method = 'GET') => {
    const response = await fetch(`${server.url}${path}`, { method })
    return [response.status, await response.text()]
  }
  const [missing, text] = await answerOf('/a/b?token=hush')
  assert.equal(missing, 404)
  assert.match(
    String(text),
    /^\{"errors":\[\{"code":"UNSUPPORTED","message":"nothing is served at GET \/a\/b"\}\],"requestId":"[0-9a-f-]{36}"\}$/,
  )
  assert.equal((await answerOf('/fine', 'DELETE'))[0], 404)
  assert.equal((await answerOf('/%zz'))[0], 400)
})

test('a failure is answered 500 without its text, and logged with its cause', async () => {
  await using server = await serve((app) =>
    app.get('/broken', async () => {
      throw new Error('outer', { cause: new Error('inner') })
    }),
  )
  const response = await fetch(`${server.url}/broken`)
  const requestId = response.headers.get('x-amzn-requestid')
  assert.equal(response.status, 500)
  assert.deepEqual(await response.json(), { errors: [{ code: 'UNKNOWN', message: 'internal error' }], requestId })
  const line = await logLine(server.logged, 'request failed')
  assert.equal(line.requestId, requestId)
  assert.match(JSON.stringify(line.err), /outer.*inner/)
})

test('a request is logged with its facts, and without query string, credentials or body', async () => {
  await using server = await serve((app) =>
    app.post('/place', (request, reply) => {
      request.logFacts = { principal: 'arn:aws:iam::000000000000:root' }
      reply.code(201).send('created')
    }),
  )
  await fetch(`${server.url}/place?X-Amz-Signature=hush1`, {
    method: 'POST',
    headers: { authorization: 'Basic hush2', 'content-type': 'application/json' },
    body: '{"password":"hush3"}',
  })
  const { requestId, time, pid, ms, ...rest } = await logLine(server.logged, 'request')
  assert.deepEqual(rest, {
    level: 30,
    method: 'POST',
    path: '/place',
    status: 201,
    bytes: 7,
    remote: '127.0.0.1',
    principal: 'arn:aws:iam::000000000000:root',
    msg: 'request',
  })
  assert.doesNotMatch(server.logged.text(), /hush/)
})

test('a client that goes away before its answer is logged, and is no failure', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  await using server = await serve((app) => {
    app.get('/slow', (_request, reply) => {
      reply.hijack()
      begin()
    })
    app.post('/upload', (_request, reply) => reply.send(''))
  })
  await using reader = await openRawConnection(server.port)
  reader.socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await begun
  reader.socket.destroy()
  assert.equal((await logLine(server.logged, 'request aborted by the client')).path, '/slow')

  await using writer = await openRawConnection(server.port)
  writer.socket.write('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nhalf')
  writer.socket.end()
  await writer.closed
  await server.stop()
  assert.equal(server.logged.lines().filter(({ level }) => Number(level) > 30).length, 0)
})

test('malformed HTTP is answered 400, oversized headers 431, both with an id and a closed connection', async () => {
  await using server = await serve()
  const answerTo = async (text: string) => {
    await using connection = await openRawConnection(server.port)
    connection.socket.write(text)
    await connection.closed
    return connection.received()
  }
  const malformed = await answerTo('what?\r\n\r\n')
  assert.match(malformed, /^HTTP\/1\.1 400 Bad Request\r\nx-amzn-RequestId: [0-9a-f-]{36}\r\n/)
  assert.match(
    malformed,
    /\r\n\r\n\{"errors":\[\{"code":"UNSUPPORTED","message":"Bad Request"\}\],"requestId":"[0-9a-f-]{36}"\}$/,
  )
  const oversized = await answerTo(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`)
  assert.match(oversized, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\nx-amzn-RequestId: /)
  assert.equal(server.logged.lines().filter(({ msg }) => msg === 'malformed request').length, 2)
})

test('a request with two Host or two Authorization headers is answered 400 and the connection is closed', async () => {
  await using server = await serve((app) => app.get('/fine', (_request, reply) => reply.send('fine')))
  const answerTo = async (...headers: string[]) => {
    await using connection = await openRawConnection(server.port)
    connection.socket.write(`GET /fine HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
    await connection.receive('\r\n\r\n')
    return connection.received()
  }
  assert.match(await answerTo('Host: x', 'Authorization: a'), /^HTTP\/1\.1 200 /)
  for (const [name, ...headers] of [
    ['Host', 'Host: x', 'host: y'],
    ['Host', 'Host: x', 'Accept: */*', 'HOST: x'],
    ['Authorization', 'Host: x', 'Authorization: a', 'authorization: b'],
  ]) {
    const answer = await answerTo(...headers)
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*connection: close/i)
    assert.match(answer, new RegExp(`the request has more than one ${name} header`))
  }
})

test('log lines and messages cut a long path', async () => {
  await using server = await serve()
  const response = await fetch(`${server.url}/${'a'.repeat(10_000)}?hush`)
  assert.match(await response.text(), /nothing is served at GET \/a{1199}…"/)
  assert.equal((await logLine(server.logged, 'request')).path, `/${'a'.repeat(1_199)}…`)
})

test('a connection on which nothing moves is closed, whether it sends no headers or no more body', async () => {
  await using server = await serve((app) => app.post('/upload', (_request, reply) => reply.send('')), {
    limits: { headersMs: 100, idleMs: 700 },
  })
  await using headless = await openRawConnection(server.port)
  headless.socket.write('GET / HTTP/1.1\r\n')
  await headless.closed
  assert.match(headless.received(), /^HTTP\/1\.1 408 /)
  await using silent = await openRawConnection(server.port)
  await silent.closed
  await using stalled = await openRawConnection(server.port)
  stalled.socket.write('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nhalf')
  await stalled.closed
  assert.equal(stalled.received(), '')
})

test('an answer may take longer to be made than a connection may be idle, but not longer to be read', async () => {
  let work = Promise.withResolvers<void>()
  const idled = new EventEmitter()
  await using server = await serve(
    (app) => {
      app.server.on('timeout', (socket) => idled.emit('timeout', socket))
      app.put('/small', async () => {
        await work.promise
        return 'made'
      })
      app.put('/large', async () => {
        await work.promise
        return Buffer.alloc(64 * 1024 * 1024)
      })
    },
    { limits: { idleMs: 200 } },
  )
  /** A request whose work ends after the connection has been idle for as long as it may. */
  const put = async ({ socket }: RawConnection, path: string) => {
    work = Promise.withResolvers<void>()
    const timeout = once(idled, 'timeout')
    socket.write(`PUT /${path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody`)
    const [{ destroyed }] = await timeout
    assert.equal(destroyed, false)
    work.resolve()
  }
  await using connection = await openRawConnection(server.port)
  await put(connection, 'small')
  await connection.receive('made')
  connection.socket.pause()
  await put(connection, 'large')
  assert.equal((await logLine(server.logged, 'request aborted by the client')).path, '/large')
})

test('it lives while it runs, and is ready while every check passes', async () => {
  let failing = false
  const checks = [
    { name: 'blobs', check: async () => {} },
    { name: 'metadata', check: async () => assert.ok(!failing, 'postgres://me:hush@host is away') },
  ]
  await using server = await serve(undefined, { checks })
  const probe = async (path: string, method = 'GET') => {
    const response = await fetch(`${server.url}${path}`, { method })
    return [response.status, await response.text()]
  }
  assert.deepEqual(await probe('/livez'), [200, '{"status":"alive"}'])
  assert.deepEqual(await probe('/readyz'), [200, '{"status":"ready"}'])
  assert.deepEqual(await probe('/readyz', 'HEAD'), [200, ''])
  failing = true
  assert.deepEqual(await probe('/livez'), [200, '{"status":"alive"}'])
  assert.deepEqual(await probe('/readyz'), [503, '{"status":"not ready","failing":["metadata"]}'])
  failing = false
  assert.deepEqual(await probe('/readyz'), [200, '{"status":"ready"}'])
})

test('stopping lets running requests end, refuses new ones, and closes idle connections', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const requests = new EventEmitter()
  await using server = await serve((app) => {
    app.server.on('request', ({ url }) => requests.emit(String(url)))
    app.get('/quick', (_request, reply) => reply.send('quick'))
    app.get('/slow', async () => {
      await released
      return 'the whole answer'
    })
    app.get('/begun/:index', async (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-length': 16 }).write('the whole ')
      await released
      reply.raw.end('answer')
    })
  })
  await using idle = await openRawConnection(server.port)
  await using silent = await openRawConnection(server.port)
  await using slow = await openRawConnection(server.port)
  await using begun = await openRawConnection(server.port)
  await using followed = await openRawConnection(server.port)
  await using probed = await openRawConnection(server.port)
  /** Sends a request and waits until it has come, for nothing tells when bytes have. */
  const send = async ({ socket }: RawConnection, path: string) => {
    const arrival = once(requests, path)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await arrival
  }
  await send(idle, '/quick')
  await idle.receive('quick')
  await send(slow, '/slow')
  await send(begun, '/begun/1')
  await send(followed, '/begun/2')
  await send(probed, '/begun/3')

  const stopped = server.stop()
  await Promise.all([idle.closed, silent.closed])
  await assert.rejects(fetch(`${server.url}/quick`))
  await send(followed, '/quick')
  await send(probed, '/readyz')
  release()

  await Promise.all([slow.closed, begun.closed, followed.closed, probed.closed, stopped])
  assert.match(slow.received(), /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*the whole answer$/)
  assert.match(begun.received(), /^HTTP\/1\.1 200 [\s\S]*the whole answer$/)
  assert.match(followed.received(), /the whole answerHTTP\/1\.1 503 [\s\S]*"the server is stopping"/)
  assert.match(probed.received(), /the whole answerHTTP\/1\.1 503 [\s\S]*\{"status":"stopping"\}$/)
})

test('stopping cuts off what outlives the grace period', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  await using server = await serve(
    (app) => {
      app.get('/endless', (_request, reply) => {
        reply.hijack()
        begin()
      })
    },
    { limits: { graceMs: 50 } },
  )
  await using endless = await openRawConnection(server.port)
  endless.socket.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n')
  await begun
  await Promise.all([server.stop(), endless.closed])
  assert.equal((await logLine(server.logged, 'request aborted by the client')).path, '/endless')
})

test('with a certificate it speaks HTTPS', async () => {
  await using server = await serve(undefined, { tls: selfSigned })
  const request = httpsRequest({ host: '127.0.0.1', port: server.port, path: '/livez', ca: selfSigned.cert })
  const response = once(request, 'response')
  request.end()
  const [{ statusCode }] = await response
  assert.equal(statusCode, 200)
})

test('a TLS handshake that does not end is given up, as headers that do not', async () => {
  await using server = await serve(undefined, { tls: selfSigned, limits: { headersMs: 100 } })
  await using silent = await openRawConnection(server.port)
  await silent.closed
  assert.equal(silent.received(), '')
})

test('stopping waits for what runs over TLS, and not for a handshake', async () => {
  const work = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  await using server = await serve(
    (app) => {
      app.get('/slow', async () => {
        begun.resolve()
        await work.promise
        return 'the whole answer'
      })
    },
    { tls: selfSigned },
  )
  const request = httpsRequest({ host: '127.0.0.1', port: server.port, path: '/slow', ca: selfSigned.cert })
  const response = once(request, 'response')
  request.end()
  await begun.promise
  await using silent = await openRawConnection(server.port)
  await using halfway = await openRawConnection(server.port)
  // The head of a record, whose text never comes.
  halfway.socket.write(Buffer.from([22, 3, 1, 2, 0, 1]))
  const started = performance.now()
  const stopped = server.stop()
  await Promise.all([silent.closed, halfway.closed])
  work.resolve()
  const [answer] = await response
  assert.equal(String(Buffer.concat(await answer.toArray())), 'the whole answer')
  await stopped
  assert.ok(performance.now() - started < 10_000, 'well below the grace period')
})

test('stopping does not wait for a connection that was answered before its body had come, once it has', async () => {
  await using server = await serve((app) => {
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    app.put('/early', (_request, reply) => reply.code(400).send({}))
  })
  await using connection = await openRawConnection(server.port)
  connection.socket.write('PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf ')
  await connection.receive('HTTP/1.1 400')
  const started = performance.now()
  const stopped = server.stop()
  connection.socket.write('body.')
  await stopped
  assert.ok(performance.now() - started < 10_000, 'well below the grace period')
})

test('stopping does not wait for a client that left after an early answer, while its body is not read', async () => {
  await using server = await serve((app) => {
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    app.put('/early', (request, reply) => {
      request.raw.once('data', () => {
        request.raw.pause()
        reply.code(400).send({})
      })
    })
  })
  await using connection = await openRawConnection(server.port)
  connection.socket.write('PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n')
  connection.socket.write(Buffer.alloc(30_000_000))
  await connection.receive('HTTP/1.1 400')
  connection.socket.destroy()
  await connection.closed
  const started = performance.now()
  await server.stop()
  assert.ok(performance.now() - started < 10_000, 'well below the grace period')
})
