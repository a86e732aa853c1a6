import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { findOidcProvider, type OidcProvider } from './oidc-providers.ts'
import type { KeySet, ProviderKeys } from './provider-keys.ts'
import { refuse } from './refusals.ts'

/**
 * Tokens of identity providers (OpenID Connect Core 1.0, section 3.1.3.7): whom a token speaks of, once it is proved that a
 * provider of the account signed it, for one of the clients that the account named, and that it is still good. Nothing that
 * a token says of itself is believed before that.
 */
export interface WebIdentity {
  readonly provider: OidcProvider
  readonly subject: string
  /** The client that the token was made for. */
  readonly audience: string
  /** Condition keys, `<provider>:sub`, and their values (IAM user guide, "Available keys for AWS OIDC federation"). */
  readonly facts: Readonly<Record<string, string | string[]>>
}

export interface WebIdentities {
  /** @throws Refusal `WebIdentityInvalid`, `WebIdentityExpired`, `ProviderUnreachable` */
  verify(account: AccountId, token: string): Promise<WebIdentity>
}

/** Those that STS takes. None has a secret that a provider would share, and `none` is not among them. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']

/** By how much a provider's clock may be wrong. */
const clockToleranceSeconds = 30

export function createWebIdentities(parts: { reader: Reader; keys: ProviderKeys; clock: Clock }): WebIdentities {
  const { reader, keys, clock } = parts

  async function claimsOf(account: AccountId, token: string, issuer: string): Promise<JWTPayload> {
    const known = await keys.get(account, issuer)
    try {
      return await readSigned(token, issuer, known)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      // The provider may have begun to sign with another key.
      return readSigned(token, issuer, await keys.get(account, issuer, known))
    }
  }

  async function readSigned(token: string, issuer: string, known: KeySet): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, known, {
      algorithms,
      issuer,
      requiredClaims: ['sub', 'aud', 'exp'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(clock()),
    })
    return payload
  }

  return {
    async verify(account, token) {
      const issuer = claimedIssuer(token)
      const provider = await findOidcProvider(reader, account, issuer)
      if (provider === undefined) throw refuse('WebIdentityInvalid', { problem: 'provider', issuer })
      let claims: JWTPayload
      try {
        claims = await claimsOf(account, token, issuer)
      } catch (error) {
        throw explain(error, issuer, clock())
      }
      const { sub } = claims
      if (!isSubject(sub)) throw refuse('WebIdentityInvalid', { problem: 'subject', issuer })
      const audience = audiencesOf(claims).find((client) => provider.clientIds.includes(client))
      if (audience === undefined) throw refuse('WebIdentityInvalid', { problem: 'audience', issuer })
      return { provider, subject: sub, audience, facts: factsOf(provider, sub, claims) }
    },
  }
}

/** OpenID Connect Core 1.0, section 2: at most 255 characters; the session keeps it, and STS answers no longer one. */
function isSubject(sub: unknown): sub is string {
  return typeof sub === 'string' && sub !== '' && sub.length <= 255
}

/** Where to look for a provider, which is all that an unproved token is good for. @throws Refusal `WebIdentityInvalid` */
function claimedIssuer(token: string): string {
  let issuer: unknown
  try {
    issuer = decodeJwt(token).iss
  } catch {
    throw refuse('WebIdentityInvalid', { problem: 'token' })
  }
  if (typeof issuer !== 'string' || !/^https:\/\/[\x21-\x7e]{1,255}$/.test(issuer)) {
    throw refuse('WebIdentityInvalid', { problem: 'token' })
  }
  return issuer
}

/** The party that a token was issued to stands above those that it is meant for, as in AWS. */
function audiencesOf({ azp, aud }: JWTPayload): readonly string[] {
  if (typeof azp === 'string') return [azp]
  return textsOf(aud)
}

function factsOf({ url }: OidcProvider, sub: string, claims: JWTPayload): Record<string, string | string[]> {
  const { azp, aud, amr, email } = claims
  const facts: Record<string, string | string[]> = { [`${url}:sub`]: sub, [`${url}:aud`]: [...audiencesOf(claims)] }
  if (azp !== undefined) facts[`${url}:oaud`] = textsOf(aud)
  if (amr !== undefined) facts[`${url}:amr`] = textsOf(amr)
  if (typeof email === 'string') facts[`${url}:email`] = email
  return facts
}

function textsOf(claim: unknown): string[] {
  return [claim].flat().filter((text) => typeof text === 'string')
}

/** What `jose` found wrong. What it has no word for is a key of the provider that cannot be used, such as one that is too short. */
function explain(error: unknown, issuer: string, now: number): unknown {
  const invalid = (problem: 'token' | 'algorithm' | 'keys' | 'signature' | 'not yet' | 'subject' | 'audience') =>
    refuse('WebIdentityInvalid', { problem, issuer })
  if (error instanceof Refusal) return error
  if (error instanceof errors.JWTExpired) {
    return refuse('WebIdentityExpired', { expiredAt: (error.payload.exp ?? 0) * 1000, now })
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case 'nbf':
        return invalid('not yet')
      case 'sub':
        return invalid('subject')
      case 'aud':
        return invalid('audience')
      default:
        return invalid('token')
    }
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('algorithm')
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('signature')
  if (error instanceof errors.JWKSNoMatchingKey || !(error instanceof errors.JOSEError)) return invalid('keys')
  return invalid('token')
}
