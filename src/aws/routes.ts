import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requestTooLarge } from './aws-error.ts'
import type { Answer, Call, Log } from './call.ts'
import type { Dispatch } from './dispatcher.ts'
import { writeJsonError } from './json-surface.ts'

/**
 * The AWS endpoint: `POST /`, and `GET /` for presigned calls. Bodies reach the dispatcher as the bytes
 * that were sent, since they are what was signed.
 */

/** A layer part of 20 MiB, the most that ECR takes, is 27 MiB of base64. */
const maxBodyBytes = 32 * 1024 * 1024

export interface AwsRouteParts {
  readonly dispatch: Dispatch
  /** Where failures of ours go, with their cause. */
  readonly log: Log
}

export function awsRoutes(app: FastifyInstance, parts: AwsRouteParts): void {
  // In a scope of its own: the other surfaces read bodies in other ways.
  void app.register((scope, _options, done) => {
    serve(scope, parts)
    done()
  })
}

function serve(app: FastifyInstance, { dispatch, log }: AwsRouteParts): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) =>
    done(null, body),
  )

  app.setErrorHandler(async (error, request, reply) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')) throw error
    return write(reply, writeJsonError(requestTooLarge(maxBodyBytes), request.id))
  })

  app.route({
    method: ['GET', 'POST'],
    url: '/',
    async handler(request, reply) {
      const gone = new AbortController()
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) gone.abort()
      })
      return write(reply, await dispatch(callOf(request, gone.signal, log)))
    },
  })
}

/** As bytes: to a text Fastify would add a charset, which the AWS content types do not have. */
function write(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(Buffer.from(body))
}

function callOf(request: FastifyRequest, signal: AbortSignal, log: Log): Call {
  const { pathname, searchParams } = new URL(request.raw.url ?? '/', 'http://localhost')
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    requestId: request.id,
    signal,
    log,
  }
}
