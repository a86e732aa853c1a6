import type { IncomingHttpHeaders } from 'node:http'

/**
 * One HTTP request as this room sees it, and its answer. Both are plain data, so that nothing below the routes depends on
 * the HTTP server. The head comes first: what it decides is decided before a byte of the body is taken in.
 */
export interface CallHead {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** As node gives them: names in lower case, `host` as the client sent it. */
  readonly headers: IncomingHttpHeaders
  readonly client: Client
  readonly requestId: string
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  readonly log: Log
}

/** Who is at the other end of the connection. */
export interface Client {
  readonly address: string
  /** Whether it spoke TLS. */
  readonly secure: boolean
}

export interface Call extends CallHead {
  readonly body: Buffer
}

export interface Log {
  error(fields: object, message: string): void
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text, or its bytes in pieces. */
  readonly body: string | readonly Buffer[]
}

/** A header's text. The name may come from the client, who must not reach what an object inherits by it. */
export function header(call: CallHead, name: string): string | undefined {
  const value: unknown = call.headers[name]
  return typeof value === 'string' ? value : undefined
}
