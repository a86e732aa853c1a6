// The `Authorization` header of requests to one registry: none until the registry challenges, then what it asks for. How a
// registry challenges is remembered, so that later requests need no refusal first.

import { createHmac } from 'node:crypto'
import type { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import { fetchBearerToken } from './bearer.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import type { Send } from './redirects.ts'
import {
  type EcrCredentials,
  type RemoteCredentials,
  RemoteFailure,
  type RemoteToken,
  type TokenCache,
} from './registry.ts'

export interface AuthorizationParts {
  readonly send: Send
  readonly tokens: TokenCache
  readonly clock: Clock
  /** Keeps the credentials out of the keys of tokens. */
  readonly keySecret: Buffer
  readonly fetchEcrToken: (credentials: EcrCredentials) => Promise<RemoteToken>
  readonly challenges: BoundedMap<string, Challenge>
}

export interface Attempt {
  readonly header: string | undefined
  /** What a refusal of this attempt leaves to try. */
  readonly next: (challenge: string | undefined) => Promise<Attempt>
  /**
   * What an answer of 403 leaves to try, which ECR has for a token that ended early. `isPlain`: whether the answer says so. Without it a
   * new token is fetched seldom.
   */
  readonly renew?: (isPlain: boolean) => Promise<Attempt | undefined>
}

export type Authorize = (scope: string | undefined) => Promise<Attempt>

/** How many registries' challenges one process remembers. */
export const mostChallenges = 1000

const renewMs = 600_000

/** Tokens without a scope serve a check of the credentials, so they are fetched each time. */
export function createAuthorize(base: URL, credentials: RemoteCredentials, parts: AuthorizationParts): Authorize {
  const { send, tokens, clock, challenges, keySecret, fetchEcrToken } = parts
  const basic = credentials.kind === 'basic' ? basicHeader(credentials.username, credentials.password) : undefined
  const owner = createHmac('sha256', keySecret).update(JSON.stringify(credentials)).digest('base64url')

  let renewsFrom = 0

  async function obtain(key: string, cached: boolean, fetch: () => Promise<RemoteToken>) {
    let isFresh = false
    const fetchNow = () => {
      isFresh = true
      return fetch()
    }
    const token = cached ? await tokens.get(key, fetchNow) : (await fetchNow()).token
    return { token, isFresh }
  }

  async function withBearer(
    challenge: Extract<Challenge, { scheme: 'bearer' }>,
    scope: string | undefined,
  ): Promise<Attempt> {
    const { realm, service } = challenge
    const key = JSON.stringify([realm, service, scope, owner])
    const { token, isFresh } = await obtain(key, scope !== undefined, () =>
      fetchBearerToken(send, clock, { realm, service, scope, authorization: basic }),
    ).catch((error) => {
      // The registry may name another token server by now.
      challenges.delete(base.href)
      throw error
    })
    return {
      header: `Bearer ${token}`,
      async next(header) {
        await tokens.drop(key, token)
        const found = parseChallenge(header)
        const isSame = found?.scheme === 'bearer' && found.realm === realm && found.service === service
        if (isFresh && isSame) throw refused()
        return answer(found, scope, true)
      },
    }
  }

  async function withEcr(own: EcrCredentials, scope: string | undefined): Promise<Attempt> {
    const key = JSON.stringify(['ecr', base.href, own.region, owner])
    const { token, isFresh } = await obtain(key, scope !== undefined, () => fetchEcrToken(own))
    return {
      header: `Basic ${token}`,
      async next() {
        await tokens.drop(key, token)
        if (isFresh) throw refused()
        return withEcr(own, scope)
      },
      async renew(isPlain) {
        if (isFresh || (!isPlain && clock() < renewsFrom)) return undefined
        if (!isPlain) renewsFrom = clock() + renewMs
        await tokens.drop(key, token)
        return withEcr(own, scope)
      },
    }
  }

  async function answer(found: Challenge | undefined, scope: string | undefined, isNew: boolean): Promise<Attempt> {
    if (found === undefined) throw refused()
    if (isNew) challenges.set(base.href, found)
    if (found.scheme === 'bearer') return withBearer(found, scope)
    if (basic === undefined) throw refused()
    return { header: basic, next: (header) => differing(found, parseChallenge(header), scope) }
  }

  /** An answer to another kind of challenge than the one that is answered already. */
  async function differing(old: Challenge, found: Challenge | undefined, scope: string | undefined): Promise<Attempt> {
    if (found?.scheme === old.scheme) throw refused()
    return answer(found, scope, true)
  }

  function refused() {
    const why = credentials.kind === 'none' ? 'it asks for credentials' : 'it refuses the credentials'
    return new RemoteFailure('unauthorized', why)
  }

  return async (scope) => {
    if (credentials.kind === 'ecr') return withEcr(credentials, scope)
    const known = challenges.get(base.href)
    const canAnswer = known?.scheme === 'bearer' || basic !== undefined
    if (known !== undefined && canAnswer) return answer(known, scope, false)
    return { header: undefined, next: (header) => answer(parseChallenge(header), scope, true) }
  }
}

function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
