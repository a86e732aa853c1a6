import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Bodies } from '#http/bodies.ts'
import type { Answer, CallHead, Log } from './call.ts'
import type { Dispatch } from './dispatcher.ts'

/**
 * The AWS endpoint: `POST /`, and `GET /` for presigned calls. Bodies reach the dispatcher as the bytes that were sent, since
 * they are what was signed, and only when it asks for them.
 */
export interface AwsRouteParts {
  readonly dispatch: Dispatch
  /** Where failures of ours go, with their cause. */
  readonly log: Log
  readonly bodies: Bodies
}

export function awsRoutes(app: FastifyInstance, { dispatch, log, bodies }: AwsRouteParts): void {
  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const gone = new AbortController()
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort()
    })
    const { answer, facts, requestClass } = await dispatch(headOf(request, gone.signal, log), (maxBytes) =>
      bodies.read(request.raw, maxBytes),
    )
    request.logFacts = facts
    request.requestClass = requestClass
    bodies.drain(request.raw, facts.principal === undefined ? 'stranger' : 'known')
    write(reply, answer)
  }

  app.route({
    method: ['GET', 'POST'],
    url: '/',
    // As a hook, because what follows hooks judges the Content-Type and reads the body, in ways that are not AWS's.
    onRequest(request, reply, done) {
      answer(request, reply).catch(done)
    },
    handler: () => assert.fail('the hook answers'),
  })
}

/** As bytes: to a text Fastify would add a charset, which the AWS content types do not have. */
function write(reply: FastifyReply, { status, headers, body }: Answer): void {
  reply.code(status).headers(headers)
  const pieces = typeof body === 'string' ? [Buffer.from(body)] : body
  if (pieces.length === 1) {
    reply.send(pieces[0])
    return
  }
  // One after the other, so that no copy of all of them is made.
  reply
    .header(
      'content-length',
      pieces.reduce((sum, { byteLength }) => sum + byteLength, 0),
    )
    .send(Readable.from(pieces))
}

function headOf(request: FastifyRequest, signal: AbortSignal, log: Log): CallHead {
  const { pathname, searchParams } = new URL(request.raw.url ?? '/', 'http://localhost')
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    client: { address: request.ip, secure: request.protocol === 'https' },
    requestId: request.id,
    signal,
    log,
  }
}
