import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import { refuse } from './refusals.ts'
import type { TokenKeys } from './token-keys.ts'
import type { Tokens, VerifiedToken } from './tokens.ts'

/**
 * The data plane's credentials: `Authorization: Basic`, user `AWS`, an authorization token as password (ECR user guide,
 * "Registry authentication"). A header that has been verified is remembered until its token expires or its key is gone.
 */

/** Only what has been verified is remembered, so that nobody without a token can fill this. At most 4 kB each. */
const rememberedHeaders = 4_096

export class BasicCredentials {
  readonly #tokens: Tokens
  readonly #keys: TokenKeys
  readonly #clock: Clock
  readonly #remembered = new BoundedMap<string, VerifiedToken>(rememberedHeaders)

  constructor({ tokens, keys, clock }: { tokens: Tokens; keys: TokenKeys; clock: Clock }) {
    this.#tokens = tokens
    this.#keys = keys
    this.#clock = clock
  }

  /**
   * Flat on purpose: `bench` figure "manifest GET by tag". A header seen before costs a look-up and no HMAC, and no SQL but
   * for the keys every few seconds.
   *
   * @throws Refusal `CredentialsMissing`, `CredentialsInvalid`, `TokenMalformed`, `TokenExpired`
   */
  async authenticate(header: string | undefined): Promise<VerifiedToken> {
    if (header === undefined) throw refuse('CredentialsMissing', {})
    const remembered = this.#remembered.get(header)
    if (remembered !== undefined) {
      const keys = this.#keys.recent() ?? (await this.#keys.current())
      if (keys.has(remembered.keyId) && this.#clock() < remembered.expiresAt) return remembered
      this.#remembered.delete(header)
    }
    const verified = await this.#tokens.verify(passwordOf(header))
    this.#remembered.set(header, verified)
    return verified
  }
}

function passwordOf(header: string): string {
  const [, encoded] = /^basic +([a-z0-9+/]+={0,2}) *$/i.exec(header) ?? []
  if (encoded === undefined) {
    throw refuse('CredentialsInvalid', { problem: /^basic /i.test(header) ? 'encoding' : 'scheme' })
  }
  const credentials = Buffer.from(encoded, 'base64').toString()
  const colon = credentials.indexOf(':')
  if (colon === -1) throw refuse('CredentialsInvalid', { problem: 'encoding' })
  if (credentials.slice(0, colon) !== 'AWS') throw refuse('CredentialsInvalid', { problem: 'user' })
  return credentials.slice(colon + 1)
}
