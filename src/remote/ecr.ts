// The sign-in at a registry that speaks ECR (ECR API reference, GetAuthorizationToken).

import { callEcr, type EcrParts, requireOk, withSession } from './aws-calls.ts'
import { readJson } from './bodies.ts'
import { type EcrCredentials, RemoteFailure, type RemoteToken } from './registry.ts'

/** @throws RemoteFailure `unauthorized` where credentials are missing or refused */
export async function fetchEcrToken(
  ecr: EcrCredentials,
  parts: EcrParts,
  input: { readonly registryIds?: readonly string[] } = {},
): Promise<RemoteToken> {
  return withSession(ecr, parts, async () => {
    const answer = await callEcr(ecr, parts, { operation: 'GetAuthorizationToken', input })
    await requireOk(answer, 'ecr', parts.clock())
    return parseToken(await readJson(answer, longestAnswer))
  })
}

const longestAnswer = 256 * 1024

function parseToken(answer: unknown): RemoteToken {
  // Each member is checked below.
  const { authorizationData } = (answer ?? {}) as { authorizationData?: unknown }
  const [data] = Array.isArray(authorizationData) ? (authorizationData as unknown[]) : []
  const { authorizationToken, expiresAt } = (data ?? {}) as Record<string, unknown>
  const isToken = typeof authorizationToken === 'string' && /^[\w+/=-]+$/.test(authorizationToken)
  if (!isToken || typeof expiresAt !== 'number') throw new RemoteFailure('invalid', 'its ECR sends no token')
  return { token: authorizationToken, expiresAt: expiresAt * 1000 }
}
