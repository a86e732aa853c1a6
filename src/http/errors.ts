// Answers for what no surface answers: an unknown route, a request that is no HTTP, a failure that reached the server.
// They are small JSON in the form of the distribution specification, whose clients are most likely to meet them, say nothing
// of the inside, and carry the request id under which the log tells more.

import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { shownPathOf } from './request-log.ts'

/** Sent with every answer, as AWS does; SDKs show it with their errors. */
export const requestIdHeader = 'x-amzn-RequestId'

export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  answer(request, reply, 404, `nothing is served at ${request.method} ${shownPathOf(request.url)}`)
}

/** Answers 503 and closes the connection, so that the client goes elsewhere. */
export function answerStopping(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('connection', 'close').header('retry-after', '1')
  answer(request, reply, 503, 'the server is stopping')
}

/** Answers 400, as RFC 9112 section 3.2 requires, and closes the connection: a proxy may have read the other one. */
export function answerRepeatedHeader(request: FastifyRequest, reply: FastifyReply, name: string): void {
  reply.header('connection', 'close')
  answer(request, reply, 400, `the request has more than one ${name} header`)
}

/** Answers 501, as RFC 9112 section 6.1 has it, and closes the connection, for where the body ends is not known. */
export function answerUnknownCoding(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('connection', 'close')
  answer(request, reply, 501, 'of the transfer codings only chunked is supported')
}

/** Fastify's own refusals (4xx) keep their text; anything else is logged with its cause and answered without it. */
export function answerError(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (isRefusalOfFastify(error)) {
    answer(request, reply, error.statusCode, error.message)
    return
  }
  // A body that breaks off because its client went away is no failure of ours.
  const level = request.raw.socket.destroyed ? 'info' : 'error'
  log[level]({ requestId: request.id, err: error }, 'request failed')
  answer(request, reply, 500, 'internal error')
}

function isRefusalOfFastify(error: unknown): error is FastifyError & { statusCode: number } {
  if (!(error instanceof Error && 'code' in error && 'statusCode' in error)) return false
  const { code, statusCode } = error
  return typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number' && statusCode < 500
}

function bodyOf(status: number, message: string, requestId: string): object {
  const code = status === 503 ? 'UNAVAILABLE' : status < 500 || status === 501 ? 'UNSUPPORTED' : 'UNKNOWN'
  return { errors: [{ code, message }], requestId }
}

function answer(request: FastifyRequest, reply: FastifyReply, status: number, message: string): void {
  reply
    .code(status)
    .type('application/json')
    .send(bodyOf(status, message, request.id))
}

const clientErrorStatus: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Answers what node:http could not parse, on the bare socket, unless an answer has begun there. */
export function answerClientError(log: Logger, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegunAnswer(socket)) {
    socket.destroy()
    return
  }
  const status = clientErrorStatus[error.code ?? ''] ?? 400
  const requestId = randomUUID()
  log.info({ requestId, status, code: error.code, remote: socket.remoteAddress }, 'malformed request')
  const body = JSON.stringify(bodyOf(status, STATUS_CODES[status] ?? '', requestId))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `${requestIdHeader}: ${requestId}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function hasBegunAnswer(socket: Socket): boolean {
  // node:http keeps the answer that a socket is sending here, and has no public way to ask (its own handler does this).
  const { _httpMessage: message } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null }
  return message?.headersSent === true
}
