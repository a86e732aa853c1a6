import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from '#http/server.ts'
import { logLines } from '#test/support/log-lines.ts'

const forged = { 'x-forwarded-for': '203.0.113.7, 198.51.100.1, 10.0.0.9', 'x-forwarded-proto': 'https' }

/** Who the server takes a client on 127.0.0.1 for that says so of itself. */
async function clientSeen(trustedProxies: readonly string[]): Promise<unknown> {
  const { log } = logLines()
  const server = createServer({ log, checks: [], trustedProxies })
  server.app.get('/', ({ ip, protocol }) => ({ ip, protocol }))
  const port = await server.listen({ host: '127.0.0.1', port: 0 })
  try {
    return await (await fetch(`http://127.0.0.1:${port}/`, { headers: forged })).json()
  } finally {
    await server.stop()
  }
}

test('nobody is believed about its address and its TLS who is no trusted proxy', async () => {
  const itself = { ip: '127.0.0.1', protocol: 'http' }
  assert.deepEqual(await clientSeen([]), itself)
  assert.deepEqual(await clientSeen(['10.0.0.0/8', '203.0.113.0/24']), itself)
})

test('of what trusted proxies forward, the last address that is none of theirs is the client’s', async () => {
  assert.deepEqual(await clientSeen(['127.0.0.0/8', '10.0.0.0/8']), { ip: '198.51.100.1', protocol: 'https' })
  assert.deepEqual(await clientSeen(['127.0.0.1']), { ip: '10.0.0.9', protocol: 'https' })
})
