import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Credentials } from './credentials.ts'
import type { Principal } from './principal.ts'
import { refuse } from './refusals.ts'
import type { TokenKeys } from './token-keys.ts'
import type { SealedToken, Tokens } from './tokens.ts'

/**
 * The data plane's credentials: `Authorization: Basic`, user `AWS`, an authorization token as password (ECR user guide,
 * "Registry authentication"). A header that has been verified is remembered until its token expires, the key that sealed it is
 * revoked, or the access key that asked for it is deleted, replaced or made inactive; the latter two are noticed within ten
 * seconds.
 */

/** Only what has been verified is remembered, so that nobody without a token can fill this. At most 4 kB each. */
const rememberedHeaders = 4_096
/** A token of the longest kind, in Base64 once more. */
const longestHeader = 6_000
const accessKeyCheckedForMs = 2_500

/** A token and the principal that it stands for, as that is now. */
export interface VerifiedToken extends SealedToken {
  readonly principal: Principal
}

interface Remembered {
  token: VerifiedToken
  /** When its access key was last seen to be there. */
  checkedAt: number
}

export class BasicCredentials {
  readonly #tokens: Tokens
  readonly #keys: TokenKeys
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #remembered = new BoundedMap<string, Remembered>(rememberedHeaders)

  constructor({
    tokens,
    keys,
    credentials,
    clock,
  }: {
    tokens: Tokens
    keys: TokenKeys
    credentials: Credentials
    clock: Clock
  }) {
    this.#tokens = tokens
    this.#keys = keys
    this.#credentials = credentials
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
      const { token } = remembered
      const keys = this.#keys.recent() ?? (await this.#keys.current())
      const now = this.#clock()
      if (keys.has(token.keyId) && now < token.expiresAt) {
        if (Math.abs(now - remembered.checkedAt) < accessKeyCheckedForMs) return token
        remembered.token = await this.#withPrincipal(token)
        remembered.checkedAt = now
        return remembered.token
      }
      this.#remembered.delete(header)
    }
    const token = await this.#withPrincipal(await this.#tokens.verify(passwordOf(header)))
    this.#remembered.set(header, { token, checkedAt: this.#clock() })
    return token
  }

  /** A token is worth no more than the access key that asked for it: whoever replaces a leaked key ends its tokens too. */
  async #withPrincipal(token: SealedToken): Promise<VerifiedToken> {
    const credential = await this.#credentials.find(token.accessKeyId)
    const { arn, accessKeySince } = credential?.principal ?? {}
    if (credential === undefined || arn !== token.principalArn || accessKeySince !== token.accessKeySince) {
      throw refuse('TokenMalformed', {})
    }
    return Object.freeze({ ...token, principal: credential.principal })
  }
}

function passwordOf(header: string): string {
  if (header.length > longestHeader) throw refuse('CredentialsInvalid', { problem: 'encoding' })
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
