// One log line for each request: when its answer was sent, or when its client went away before. It holds a path
// without query string, for a presigned URL has its signature there, and neither headers nor bodies.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { RequestClass } from '#lib/request-class.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What a surface knows of its request and the log line should tell, such as the principal. No secrets. */
    logFacts: Readonly<Record<string, string>> | null
    /** As what it is counted; set by the surface that takes it. */
    requestClass: RequestClass | null
  }
}

/** A request's path, without its query string. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** Room for a repository's name and a SHA-512 digest, percent-encoded. A client may send 16 KiB. */
const longestShownPath = 1_200

/** As much of a path as a log line or a message repeats. */
export function shownPathOf(url: string): string {
  const path = pathOf(url)
  return path.length <= longestShownPath ? path : `${path.slice(0, longestShownPath)}…`
}

/** What of a request is known only while its socket is open. */
export interface RequestStart {
  readonly atMs: number
  /** The client's address. */
  readonly remote: string | undefined
}

export function startOf(request: FastifyRequest): RequestStart {
  return { atMs: performance.now(), remote: request.ip }
}

/** Hears of each request that the connection is done with; `status` is undefined where its client went away before. */
export type OnAnswered = (of: RequestClass | null, status: number | undefined, ms: number) => void

export interface RequestLog {
  readonly log: Logger
  /** Logged at `debug`, and not told to `onAnswered`. */
  readonly quietPaths: ReadonlySet<string>
  readonly onAnswered: OnAnswered
}

/** Logs a request that the connection is done with, at `info` but for quiet ones. */
export function logRequest(
  { log, quietPaths, onAnswered }: RequestLog,
  { atMs, remote }: RequestStart,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const url = request.raw.url ?? ''
  const response = reply.raw
  const whole = response.writableFinished
  const quiet = quietPaths.has(pathOf(url))
  const ms = performance.now() - atMs
  if (!quiet) onAnswered(request.requestClass, whole ? response.statusCode : undefined, ms)
  const line = {
    requestId: request.id,
    method: request.raw.method,
    path: shownPathOf(url),
    status: response.headersSent ? response.statusCode : undefined,
    ms: Math.round(ms * 10) / 10,
    bytes: whole ? lengthOf(reply) : undefined,
    remote,
    ...request.logFacts,
  }
  log[quiet ? 'debug' : 'info'](line, whole ? 'request' : 'request aborted by the client')
}

function lengthOf(reply: FastifyReply): number | undefined {
  const length = reply.getHeader('content-length')
  return length === undefined ? undefined : Number(length)
}
