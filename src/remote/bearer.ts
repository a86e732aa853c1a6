// Tokens of a registry's token server (Distribution, "Token Authentication Specification").

import type { Clock } from '#lib/clock.ts'
import { readJson } from './bodies.ts'
import { failureOfAnswer } from './failures.ts'
import type { Send } from './redirects.ts'
import { RemoteFailure, type RemoteToken } from './registry.ts'

export interface BearerRequest {
  readonly realm: string
  readonly service: string | undefined
  /** What this client needs, one scope or several with spaces between them. What a challenge names may be more. */
  readonly scope: string | undefined
  /** `Basic …` */
  readonly authorization: string | undefined
}

/** @throws RemoteFailure `unauthorized` where the token server refuses the credentials */
export async function fetchBearerToken(send: Send, clock: Clock, request: BearerRequest): Promise<RemoteToken> {
  const { realm, service, scope, authorization } = request
  const url = URL.parse(realm)
  if (url === null) throw new RemoteFailure('invalid', 'its token server has no address')
  if (service !== undefined) url.searchParams.set('service', service)
  for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one)
  const signal = AbortSignal.timeout(tokenMs)
  const headers = { accept: 'application/json' }
  const answer = await send({ url, method: 'GET', headers, authorization, signal }).catch((cause: unknown) => {
    throw signal.aborted ? new RemoteFailure('unreachable', 'its token server fell silent', { cause }) : cause
  })
  if (answer.status !== 200) {
    await answer.discard()
    const { status } = answer
    throw status === 400 || status === 401 || status === 403
      ? new RemoteFailure(
          'unauthorized',
          authorization === undefined ? 'it asks for credentials' : 'it refuses the credentials',
        )
      : failureOfAnswer(answer, clock())
  }
  return parseToken(await readJson(answer, longestAnswer), clock())
}

const tokenMs = 30_000
const longestAnswer = 256 * 1024

function parseToken(answer: unknown, now: number): RemoteToken {
  // Each member is checked below.
  const { token, access_token, expires_in } = (answer ?? {}) as Record<string, unknown>
  const found = token ?? access_token
  if (typeof found !== 'string' || !/^[!-~]+$/.test(found)) {
    throw new RemoteFailure('invalid', 'its token server sends no token')
  }
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? Math.min(expires_in, mostSeconds) : defaultSeconds
  return { token: found, expiresAt: now + seconds * 1000 }
}

/** Where the answer does not say it (Distribution, "Token Response Fields"). */
const defaultSeconds = 60
const mostSeconds = 12 * 3600
