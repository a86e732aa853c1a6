/** A caller cannot make the server send requests to private addresses, by names and redirects neither. */
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { WebhookServiceParts } from '#events/webhooks/service.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { startReceiver } from '#test/support/webhooks/receiver.ts'
import { openStage, registry } from '#test/support/webhooks/stage.ts'

const signal = new AbortController().signal

/** Counts its connections. It trusts the certificate of the tests. */
async function startSecret() {
  let connections = 0
  const server = createServer({ cert: selfSigned.cert, key: selfSigned.key }, (_request, response) => {
    response.writeHead(200).end('secret')
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server has a port.
  const { port } = server.address() as AddressInfo
  return {
    port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const resolving =
  (address: string): NonNullable<WebhookServiceParts['lookUp']> =>
  async () => [{ address, family: address.includes(':') ? 6 : 4 }]

eachDatabaseInCi((databases) => {
  const failures: readonly [name: string, address: string, hosts: WebhookServiceParts['hosts']][] = [
    ['a name with a loopback address', '127.0.0.1', []],
    ['a name with a private address', '10.1.2.3', []],
    ['a name with a mapped address', '::ffff:127.0.0.1', []],
    ['a name with a link-local address', '169.254.169.254', []],
    ['a listed name with a link-local address', '169.254.169.254', [{ hostname: 'hooks.test', port: undefined }]],
  ]
  for (const [name, address, hosts] of failures) {
    test(`${name} is not connected to (${databases.dialect})`, async (t) => {
      await using secret = await startSecret()
      const parts = { hosts, lookUp: resolving(address), certificates: [selfSigned.cert] }
      await using stage = openStage({ metadata: await databases.open(t), parts })
      const { webhooks, tryWebhook } = stage.service
      const asked = { name: 'hook', url: `https://hooks.test:${secret.port}/`, pattern: undefined }
      const { webhook } = await webhooks.create(registry, { ...asked, description: undefined, enabled: true })
      const { outcome } = await tryWebhook(webhook, signal)
      assert.deepEqual(outcome, { kind: 'failed', error: 'its address may not be reached' })
      assert.equal(secret.connections(), 0)
    })
  }

  test(`a listed name may have a private address (${databases.dialect})`, async (t) => {
    await using receiver = await startSecret()
    const hosts = [{ hostname: 'localhost', port: receiver.port }]
    const parts = { hosts, certificates: [selfSigned.cert] }
    await using stage = openStage({ metadata: await databases.open(t), parts })
    const { webhooks, tryWebhook } = stage.service
    const asked = { name: 'hook', url: `https://localhost:${receiver.port}/`, pattern: undefined }
    const { webhook } = await webhooks.create(registry, { ...asked, description: undefined, enabled: true })
    const { outcome } = await tryWebhook(webhook, signal)
    assert.deepEqual(outcome, { kind: 'delivered', status: 200 })
  })

  test(`a redirect is a failure, and nothing follows it (${databases.dialect})`, async (t) => {
    await using elsewhere = await startReceiver()
    await using stage = openStage({ metadata: await databases.open(t) })
    const it = await stage.receiver('hook')
    it.answer = (_message, response) => {
      response.writeHead(307, { location: elsewhere.url }).end()
      return undefined
    }
    const webhook = await stage.service.webhooks.get(registry, 'hook')
    const { outcome } = await stage.service.tryWebhook(webhook, signal)
    assert.deepEqual(outcome, { kind: 'failed', status: 307, error: 'it redirects (307)', retryAfterMs: undefined })
    assert.equal(elsewhere.received.length, 0)
  })

  test(`an answer without an end is cut, and counts by its status (${databases.dialect})`, async (t) => {
    await using stage = openStage({ metadata: await databases.open(t) })
    const it = await stage.receiver('hook')
    let sent = 0
    it.answer = (_message, response) => {
      response.writeHead(200)
      const more = (error?: unknown) => {
        if (error || response.destroyed || response.socket === null || sent > 64 * 1024 * 1024) return
        sent += 65_536
        response.write(Buffer.alloc(65_536), more)
      }
      more()
      return undefined
    }
    const webhook = await stage.service.webhooks.get(registry, 'hook')
    const { outcome, durationMs } = await stage.service.tryWebhook(webhook, signal)
    assert.equal(outcome.kind, 'delivered')
    assert.ok(durationMs < 900, 'it did not wait for the end')
    assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes`)
  })
})
