import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { serializationFailure } from './aws-error.ts'
import { type BodyLimits, createBodyReader, defaultBodyLimits } from './body.ts'
import type { Answer, CallHead, Log } from './call.ts'
import { type Dispatch, writeErrorTo } from './dispatcher.ts'

/**
 * The AWS endpoint: `POST /`, and `GET /` for presigned calls. Bodies reach the dispatcher as the bytes that were sent, since
 * they are what was signed, and only when it asks for them.
 */
export interface AwsRouteParts {
  readonly dispatch: Dispatch
  /** Where failures of ours go, with their cause. */
  readonly log: Log
  readonly limits?: BodyLimits
}

export function awsRoutes(app: FastifyInstance, parts: AwsRouteParts): void {
  // In a scope of its own: the other surfaces read bodies in other ways.
  void app.register((scope, _options, done) => {
    serve(scope, parts)
    done()
  })
}

function serve(app: FastifyInstance, { dispatch, log, limits = defaultBodyLimits }: AwsRouteParts): void {
  const readBody = createBodyReader(limits)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))

  // Fastify judges a Content-Type before any parser does.
  app.setErrorHandler(async (error, request, reply) => {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('FST_ERR_CTP_'))) throw error
    drain(request, limits)
    const failure = serializationFailure(error.message)
    request.logFacts = { error: failure.code }
    return write(reply, writeErrorTo(headOf(request, AbortSignal.abort(), log), failure))
  })

  app.route({
    method: ['GET', 'POST'],
    url: '/',
    async handler(request, reply) {
      const gone = new AbortController()
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) gone.abort()
      })
      const { answer, facts } = await dispatch(headOf(request, gone.signal, log), (maxBytes) =>
        readBody(request.raw, maxBytes),
      )
      request.logFacts = facts
      drain(request, limits)
      return write(reply, answer)
    },
  })
}

/**
 * Takes in and drops what an early answer leaves unread, for a client that is still sending may not hear the answer on a
 * connection that closes. It does not go on for longer than a body may take.
 */
function drain({ raw: source }: FastifyRequest, { deadlineMs }: BodyLimits): void {
  if (source.complete || source.destroyed) return
  // Nothing tells of a connection that is lost after the answer, so that the timer keeps no process alive.
  const overdue = setTimeout(() => source.destroy(), deadlineMs).unref()
  source.once('end', () => clearTimeout(overdue)).resume()
}

/** As bytes: to a text Fastify would add a charset, which the AWS content types do not have. */
function write(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(Buffer.from(body))
}

function headOf(request: FastifyRequest, signal: AbortSignal, log: Log): CallHead {
  const { pathname, searchParams } = new URL(request.raw.url ?? '/', 'http://localhost')
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    requestId: request.id,
    signal,
    log,
  }
}
