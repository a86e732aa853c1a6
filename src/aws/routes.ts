import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Bodies } from '#http/bodies.ts'
import { serializationFailure } from './aws-error.ts'
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
  readonly bodies: Bodies
}

export function awsRoutes(app: FastifyInstance, parts: AwsRouteParts): void {
  // In a scope of its own: the other surfaces read bodies in other ways.
  void app.register((scope, _options, done) => {
    serve(scope, parts)
    done()
  })
}

function serve(app: FastifyInstance, { dispatch, log, bodies }: AwsRouteParts): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))

  // Fastify judges a Content-Type before any parser does.
  app.setErrorHandler(async (error, request, reply) => {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('FST_ERR_CTP_'))) throw error
    bodies.drain(request.raw, 'stranger')
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
        bodies.read(request.raw, maxBytes),
      )
      request.logFacts = facts
      bodies.drain(request.raw, facts.principal === undefined ? 'stranger' : 'known')
      return write(reply, answer)
    },
  })
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
