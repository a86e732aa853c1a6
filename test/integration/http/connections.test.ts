/** Too many connections do not take the descriptors that clients need which are connected already. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxConnectionsOf } from '#http/connections.ts'
import { createServer, type ServerOptions } from '#http/server.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { logLines } from '#test/support/log-lines.ts'
import { openRawConnection, type RawConnection } from '#test/support/raw-connection.ts'
import { until } from '#test/support/until.ts'

async function serve(options: Partial<ServerOptions>) {
  const { log, lines } = logLines()
  const server = createServer({ log, checks: [], ...options })
  const port = await server.listen({ host: '127.0.0.1', port: 0 })
  const opened: RawConnection[] = []
  return {
    lines,
    async open() {
      const connection = await openRawConnection(port)
      opened.push(connection)
      return connection
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

/** Whether a connection that sent nothing yet gets an answer. */
async function served({ socket, receive }: RawConnection): Promise<boolean> {
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  return receive('alive').then(
    () => true,
    () => false,
  )
}

test('half of the descriptors beyond a reserve are for connections', () => {
  assert.equal(maxConnectionsOf(undefined), Number.POSITIVE_INFINITY)
  assert.equal(maxConnectionsOf(256), 80)
  assert.equal(maxConnectionsOf(20_000), 9_952)
  assert.equal(maxConnectionsOf(50), 8)
})

for (const tls of [undefined, selfSigned]) {
  test(`a connection beyond the most is closed at once, and logged, ${tls ? 'with TLS' : 'without TLS'}`, async () => {
    await using server = await serve({ tls, connectionLimits: { maxConnections: 2 } })
    const [first] = [await server.open(), await server.open()]
    for (let more = 0; more < 3; more++) await (await server.open()).closed
    const logged = server.lines().filter(({ msg }) => /too many/.test(String(msg)))
    assert.partialDeepStrictEqual(logged, [{ level: 40, refused: 1, open: 2, maxConnections: 2, remote: '127.0.0.1' }])
    if (tls) return
    assert.ok(await served(first))
    first.socket.destroy()
    await until(async () => served(await server.open()))
  })
}

test('connections of one address are limited, and those of a trusted proxy are not', async () => {
  await using server = await serve({ connectionLimits: { connectionsPerAddress: 1 } })
  const first = await server.open()
  await (await server.open()).closed
  assert.ok(await served(first))
  first.socket.destroy()
  await until(async () => served(await server.open()))

  await using behindProxy = await serve({
    connectionLimits: { connectionsPerAddress: 1 },
    trustedProxies: ['10.0.0.1', '127.0.0.0/8'],
  })
  for (let more = 0; more < 3; more++) assert.ok(await served(await behindProxy.open()))
})
