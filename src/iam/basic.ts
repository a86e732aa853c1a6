import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { AccountId } from '#names/account.ts'
import type { Region } from '#names/region.ts'
import type { Credentials } from './credentials.ts'
import type { KeyAttempt, KeySignIn } from './key-sign-in.ts'
import type { KeyUses } from './keys/key-uses.ts'
import type { Principal } from './principal.ts'
import { refuse } from './refusals.ts'
import type { TokenKeys } from './token-keys.ts'
import type { Tokens } from './tokens.ts'

/**
 * The data plane's credentials: `Authorization: Basic`, user `AWS`, an authorization token as password (ECR user guide,
 * "Registry authentication"); or, where the operator allows it, an access key id as user and its secret as password. A header that has
 * been verified is remembered until its token expires, the key that sealed it is revoked, or the access key is deleted, replaced or
 * made inactive; the latter two are noticed within ten seconds.
 */

/** Only what has been verified is remembered, so that a stranger cannot fill this. At most 4 kB each. */
const rememberedHeaders = 4_096
/** A token of the longest kind, in Base64 once more. */
const longestHeader = 6_000
const accessKeyCheckedForMs = 2_500

/** A principal, and the registries that its credentials open. */
export interface SignIn {
  readonly kind: 'token' | 'access key'
  readonly principal: Principal
  /** With the region: the registry that is opened at a host that names none. A token opens registries of its region alone. */
  readonly account: AccountId
  readonly region: Region
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** The key that sealed a token, which is worth nothing once that key is gone. */
  readonly keyId: string | undefined
}

interface Remembered {
  signIn: SignIn
  /** When its access key was last seen to be there. */
  checkedAt: number
}

export interface BasicCredentialsParts {
  readonly tokens: Tokens
  readonly keys: TokenKeys
  readonly credentials: Credentials
  readonly clock: Clock
  /** Where access keys are accepted. */
  readonly accessKeys?: AccessKeyParts | undefined
}

interface AccessKeyParts {
  readonly signIn: KeySignIn
  readonly uses: Pick<KeyUses, 'record'>
  /** Of the registry that a key opens at a host that names none. */
  readonly region: Region
}

/** The sender of a request. Asked for its address only if that is needed, since that has a cost. */
interface Sender {
  readonly ip: string
}

export class BasicCredentials {
  readonly #tokens: Tokens
  readonly #keys: TokenKeys
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #accessKeys: AccessKeyParts | undefined
  readonly #remembered = new BoundedMap<string, Remembered>(rememberedHeaders)

  constructor({ tokens, keys, credentials, clock, accessKeys }: BasicCredentialsParts) {
    this.#tokens = tokens
    this.#keys = keys
    this.#credentials = credentials
    this.#clock = clock
    this.#accessKeys = accessKeys
  }

  /**
   * Flat on purpose: `bench` figure "manifest GET by tag". A header seen before costs a look-up and no HMAC, and no SQL but
   * for the keys every few seconds.
   *
   * @throws Refusal `CredentialsMissing`, `CredentialsInvalid`, `TokenMalformed`, `TokenExpired`, `AccessKeyInvalid`, `SignInThrottled`
   */
  async authenticate(header: string | undefined, sender: Sender): Promise<SignIn> {
    if (header === undefined) throw refuse('CredentialsMissing', {})
    const remembered = this.#remembered.get(header)
    if (remembered !== undefined) {
      const { expiresAt, keyId } = remembered.signIn
      const keys = this.#keys.recent() ?? (await this.#keys.current())
      const now = this.#clock()
      if ((keyId === undefined || keys.has(keyId)) && now < expiresAt) {
        if (Math.abs(now - remembered.checkedAt) < accessKeyCheckedForMs) return remembered.signIn
        const signIn = await this.#checked(remembered.signIn)
        if (signIn !== undefined) {
          remembered.signIn = signIn
          remembered.checkedAt = now
          return signIn
        }
      }
      this.#remembered.delete(header)
    }
    const signIn = await this.#verify(credentialsIn(header), sender)
    this.#remembered.set(header, { signIn, checkedAt: this.#clock() })
    return signIn
  }

  async #verify({ user, password }: UserAndPassword, sender: Sender): Promise<SignIn> {
    if (user !== 'AWS' && this.#accessKeys !== undefined) {
      return this.#verifyKey(this.#accessKeys, { id: user, secret: password, sourceIp: sender.ip })
    }
    if (user !== 'AWS') throw refuse('CredentialsInvalid', { problem: 'user' })
    const token = await this.#tokens.verify(password)
    const { accessKeyId, accessKeySince, principalArn: arn, account, region, expiresAt, keyId } = token
    const principal = await this.#current({ accessKeyId, accessKeySince, arn })
    if (principal === undefined) throw refuse('TokenMalformed', {})
    return Object.freeze({ kind: 'token', principal, account, region, expiresAt, keyId })
  }

  async #verifyKey({ signIn: keySignIn, region }: AccessKeyParts, attempt: KeyAttempt): Promise<SignIn> {
    const answer = await keySignIn.verify(attempt)
    if (answer.is === 'throttled') throw refuse('SignInThrottled', { waitMs: answer.waitMs })
    // By the id's shape alone, so that the answer does not say which keys exist.
    if (answer.is === 'wrong') throw refuse('AccessKeyInvalid', { temporary: attempt.id.startsWith('ASIA') })
    const { principal } = answer
    this.#recordUse(principal)
    const forGood = { expiresAt: Number.POSITIVE_INFINITY, keyId: undefined }
    return Object.freeze({ kind: 'access key', principal, account: principal.account, region, ...forGood })
  }

  /** With the principal as it is now. `undefined` if the access key is gone, inactive, replaced, or of another principal. */
  async #checked(signIn: SignIn): Promise<SignIn | undefined> {
    const principal = await this.#current(signIn.principal)
    if (principal === undefined) return undefined
    if (signIn.kind === 'access key') this.#recordUse(principal)
    return Object.freeze({ ...signIn, principal })
  }

  /** A sign-in is worth no more than its access key: an operator that replaces a leaked key ends its tokens too. */
  async #current({
    accessKeyId,
    accessKeySince,
    arn,
  }: Pick<Principal, 'accessKeyId' | 'accessKeySince' | 'arn'>): Promise<Principal | undefined> {
    const principal = (await this.#credentials.find(accessKeyId))?.principal
    return principal?.arn === arn && principal.accessKeySince === accessKeySince ? principal : undefined
  }

  #recordUse({ accessKeyId }: Principal): void {
    const parts = this.#accessKeys
    parts?.uses.record(accessKeyId, { service: 'ecr', region: parts.region })
  }
}

interface UserAndPassword {
  readonly user: string
  readonly password: string
}

function credentialsIn(header: string): UserAndPassword {
  if (header.length > longestHeader) throw refuse('CredentialsInvalid', { problem: 'encoding' })
  const [, encoded] = /^basic +([a-z0-9+/]+={0,2}) *$/i.exec(header) ?? []
  if (encoded === undefined) {
    throw refuse('CredentialsInvalid', { problem: /^basic /i.test(header) ? 'encoding' : 'scheme' })
  }
  const credentials = Buffer.from(encoded, 'base64').toString()
  const colon = credentials.indexOf(':')
  if (colon === -1) throw refuse('CredentialsInvalid', { problem: 'encoding' })
  return { user: credentials.slice(0, colon), password: credentials.slice(colon + 1) }
}
