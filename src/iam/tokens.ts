import type { Clock } from '#lib/clock.ts'
import type { AccountId } from '#names/account.ts'
import type { Region } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import type { Principal } from './principal.ts'
import { refuse } from './refusals.ts'
import { type TokenKeys, tokenLifetimeSeconds } from './token-keys.ts'
import { isSealed, readToken, sealToken } from './token-seal.ts'

/**
 * Authorization tokens: what GetAuthorizationToken gives, and what a docker client sends as the password of user `AWS`.
 * A token stands for its principal in one region for twelve hours, and is verified without a look at any table of tokens.
 */

export interface IssuedToken {
  /** Base64 of `AWS:<password>`. */
  readonly authorizationToken: string
  /** Milliseconds since the epoch, a whole second. */
  readonly expiresAt: number
}

/** What a token says that nobody else can have said: whom it stands for, and the registry that it opens at a host that names none. */
export interface SealedToken {
  /** The access key that asked for it, which has to be there still, and whose. */
  readonly accessKeyId: string
  readonly accessKeySince: number
  readonly principalArn: string
  readonly account: AccountId
  readonly region: Region
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** The key that sealed it. The token is worth nothing once that is gone. */
  readonly keyId: string
}

export class Tokens {
  readonly #keys: TokenKeys
  readonly #clock: Clock

  constructor({ keys, clock }: { keys: TokenKeys; clock: Clock }) {
    this.#keys = keys
    this.#clock = clock
  }

  /** A token of this principal, which at a host that names no registry opens this one. */
  async issue(principal: Principal, { account, region }: Registry): Promise<IssuedToken> {
    const key = await this.#keys.sealing()
    const expiration = Math.floor(this.#clock() / 1_000) + tokenLifetimeSeconds
    const { account: principalAccount, arn, userId, accessKeyId, accessKeySince } = principal
    const claims = { account, region, principalAccount, arn, userId, accessKeyId, accessKeySince, expiration }
    const password = sealToken(claims, key)
    return { authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt: expiration * 1_000 }
  }

  /** @throws Refusal `TokenMalformed`, `TokenExpired` */
  async verify(password: string): Promise<SealedToken> {
    const token = readToken(password)
    const key = token && (await this.#keys.find(token.keyId))
    if (token === undefined || key === undefined || !isSealed(password, token.claims, key)) {
      throw refuse('TokenMalformed', {})
    }
    const { account, region, expiration, arn: principalArn, accessKeyId, accessKeySince } = token.claims
    const expiresAt = expiration * 1_000
    if (this.#clock() >= expiresAt) throw refuse('TokenExpired', { expiresAt })
    return { accessKeyId, accessKeySince, principalArn, account, region, expiresAt, keyId: key.id }
  }
}
