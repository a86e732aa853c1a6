import type { FastifyReply, FastifyRequest } from 'fastify'
import { anonymousPrincipal } from '#iam/principal.ts'
import { denialOf } from '#iam/refusals.ts'
import { hasCode } from '#lib/system-error.ts'
import type { Endpoints } from '#names/endpoints.ts'
import type { Progress } from './audited.ts'
import { answer, describeError, notAuthorized, type OciAnswer } from './errors.ts'

/** Answers to requests of the data plane that failed: the challenge to log in, what a denial says, and the body that all errors have. */
export interface ErrorAnswerParts {
  readonly endpoints: Endpoints
  readonly log: { error(fields: object, message: string): void }
}

export function createErrorAnswers({ endpoints, log }: ErrorAnswerParts) {
  return { explain, write }

  function explain(error: unknown, { id, raw }: FastifyRequest): OciAnswer {
    const described = describeError(error)
    if (described !== undefined && described.status !== 507) return described
    // The client left in the middle of its body. The server did not fail, and no client reads the answer.
    if (!isAbort(error) || !raw.socket.destroyed)
      log.error({ err: error, requestId: id }, 'a request of the data plane failed')
    return described ?? answer(500, 'UNKNOWN', `The request failed; the log tells more under the request id ${id}`)
  }

  /** A denial has the id by which an administrator finds the reason: `lading why --request <id>`. */
  function write(request: FastifyRequest, reply: FastifyReply, answer: OciAnswer, { denied }: { denied: boolean }) {
    const { status, code, headers } = answer
    const message = denied ? `${answer.message} (request id: ${request.id})` : answer.message
    if (status === 401) reply.header('www-authenticate', challenge(request))
    const body = JSON.stringify({ errors: [{ code, message }] })
    return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body)
  }

  /** As ECR's, with the realm of the registry that was asked. */
  function challenge({ protocol, headers: { host } }: FastifyRequest): string {
    const origin = { secure: protocol === 'https', host }
    const mirror = endpoints.mirrorAt(host)
    if (mirror !== undefined) return challengeOf(endpoints.mirrorEndpoint(mirror, origin))
    const registry = endpoints.registryAt(host)
    const realm =
      registry === undefined || registry === 'unresolvable'
        ? endpoints.baseUrl(origin)
        : endpoints.proxyEndpoint(registry, origin)
    return challengeOf(realm)
  }
}

function challengeOf(realm: string): string {
  return `Basic realm="${realm}/",service="ecr.amazonaws.com"`
}

/**
 * A denial in the client's own terms. Only a caller with rights learns which repository they mean here. A caller without credentials is
 * asked for them.
 */
export function deniedAnswer(answer: OciAnswer, { asked, principal }: Progress, error: unknown): OciAnswer {
  if (principal === anonymousPrincipal) return credentialsMissing
  const denial = denialOf(error)
  if (asked === undefined || denial === undefined) return answer
  return { ...answer, message: answer.message.replace(denial.resource, () => asked) }
}

const credentialsMissing = answer(401, 'UNAUTHORIZED', notAuthorized)

/** node:http's errors for a client that leaves in the middle of its body. */
function isAbort(error: unknown): boolean {
  return hasCode(error, 'ECONNRESET') || hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE')
}
