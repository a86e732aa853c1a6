/**
 * A receiver of webhooks: a real HTTP server that verifies each message by the library of Standard Webhooks. It answers as the test
 * says, 204 by default.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import type { EventEnvelope } from '#events/event.ts'

export interface Received {
  readonly id: string
  readonly event: EventEnvelope
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** Whether the message was signed with a secret that the receiver has. */
  readonly verified: boolean
  /** What was answered. */
  status: number | undefined
}

export interface Receiver extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>` */
  readonly host: string
  /** Every request, in order. */
  readonly received: readonly Received[]
  /** Those that were answered with 2xx. */
  readonly accepted: readonly Received[]
  /** Messages must be signed with one of these. */
  secrets: readonly string[]
  /** A status, or an answer of its own. */
  answer: (message: Received, response: ServerResponse) => number | Promise<number | undefined> | undefined
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const accepted: Received[] = []
  const server = createServer((request, response) => {
    void take(request, response).catch((error) => response.destroy(error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server has a port.
  const { port } = server.address() as AddressInfo

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const verified = receiver.secrets.some((secret) => isSigned(secret, body, headers))
    const id = headers['webhook-id'] ?? ''
    const message: Received = { id, event: JSON.parse(body), body, headers, verified, status: undefined }
    received.push(message)
    const status = verified ? await receiver.answer(message, response) : 401
    if (status === undefined) return
    message.status = status
    if (status < 300) accepted.push(message)
    response.writeHead(status).end()
  }

  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    received,
    accepted,
    secrets: [],
    answer: () => 204,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}

/** The library compares the time with the real clock. A test that moved its own clock asks for the signature alone. */
function isSigned(secret: string, body: string, headers: Readonly<Record<string, string>>): boolean {
  const signer = new Webhook(secret)
  const { 'webhook-id': id = '', 'webhook-signature': signatures = '' } = headers
  const at = new Date(Number(headers['webhook-timestamp']) * 1_000)
  if (Math.abs(at.getTime() - Date.now()) > 240_000) {
    return signatures.split(' ').includes(signer.sign(id, at, body))
  }
  try {
    signer.verify(body, { ...headers })
    return true
  } catch {
    return false
  }
}
