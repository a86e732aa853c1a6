/** A registry that answers each request as a test says, over HTTP or TLS. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { privatelySigned } from '#test/fixtures/tls/private-ca/pair.ts'

export interface ScriptedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface ScriptedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Answers, or writes to the connection by itself and returns nothing. */
export type Script = (
  request: ScriptedRequest,
  response: ServerResponse,
) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>

export interface ScriptedPeer extends AsyncDisposable {
  readonly url: string
  /** Each request as `METHOD path?query`, in order. */
  readonly requests: readonly string[]
}

export async function startScriptedPeer(script: Script, { tls = false } = {}): Promise<ScriptedPeer> {
  const requests: string[] = []
  const answer = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '/', headers } = incoming
    requests.push(`${method} ${url}`)
    const body = await buffer(incoming)
    const made = await script({ method, url: new URL(url, origin()), headers, body }, response)
    if (made !== undefined) response.writeHead(made.status, made.headers).end(made.body)
  }
  const listener = (incoming: IncomingMessage, response: ServerResponse) => {
    answer(incoming, response).catch(() => response.destroy())
  }
  const server = tls
    ? createTlsServer({ cert: privatelySigned.cert, key: privatelySigned.key }, listener)
    : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  function origin(): string {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
    return `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`
  }
  return {
    url: origin(),
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
