/** What a client may ask of one connection: requests in their order, one at a time, in the forms of RFC 9112. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createServer } from '#http/server.ts'
import { logLines } from '#test/support/log-lines.ts'
import { openRawConnection } from '#test/support/raw-connection.ts'

async function serve(routes: (app: FastifyInstance) => void): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer({ log: logLines().log, checks: [] })
  routes(server.app)
  const port = await server.listen({ host: '127.0.0.1', port: 0 })
  return { port, [Symbol.asyncDispose]: () => server.stop() }
}

test('pipelined requests run one after another and are answered in order', async () => {
  let running = 0
  let most = 0
  await using server = await serve((app) => {
    app.get('/:n', async ({ url }) => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return { url }
    })
  })
  await using connection = await openRawConnection(server.port)
  const paths = Array.from({ length: 20 }, (_, n) => `/${n}`)
  connection.socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
  await connection.receive('"/19"')
  assert.deepEqual(
    [...connection.received().matchAll(/"url":"(.*?)"/g)].map(([, path]) => path),
    paths,
  )
  assert.equal(most, 1)
})

test('a connection with more requests waiting than any client has is cut', async () => {
  const begun: string[] = []
  await using server = await serve((app) => {
    app.get('/:n', ({ url }) => {
      begun.push(url)
      // Never answered.
      return new Promise(() => {})
    })
  })
  await using connection = await openRawConnection(server.port)
  connection.socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200))
  await connection.closed
  assert.deepEqual(begun, ['/x'])
})

test('a target with scheme and host is read by its path', async () => {
  await using server = await serve((app) => app.get('/here', ({ url }) => ({ url })))
  await using connection = await openRawConnection(server.port)
  connection.socket.write('GET http://example.com/here?a=1 HTTP/1.1\r\nHost: x\r\n\r\n')
  await connection.receive('{"url":"/here?a=1"}')
})

test('a body in a transfer coding that is not known is refused, and the connection closed', async () => {
  await using server = await serve((app) => app.put('/here', () => assert.fail('not to be reached')))
  await using connection = await openRawConnection(server.port)
  connection.socket.write('PUT /here HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n')
  await connection.receive('HTTP/1.1 501')
  await connection.closed
})
