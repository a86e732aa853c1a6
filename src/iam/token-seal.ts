import { createHmac, timingSafeEqual } from 'node:crypto'
import { type AccountId, isAccountId } from '#names/account.ts'
import { isRegion, type Region } from '#names/region.ts'

/**
 * The text of an authorization token: what ECR calls its password. It is base64 of an envelope with the fields of ECR's,
 * since tools decode it to read `expiration`; `payload` is base64 of an HMAC-SHA256 and the claims that it covers, and
 * `datakey` names the key. Sealing the same claims with the same key gives the same text, and no other text of them is
 * valid: so nothing outside the seal can be altered either.
 */

export interface TokenClaims {
  /** Of the registry that the token opens at a host that names none. */
  readonly account: AccountId
  readonly region: Region
  /** The account of the principal, and what else is known of it. */
  readonly principalAccount: AccountId
  readonly arn: string
  readonly userId: string
  /** The access key that asked for it. */
  readonly accessKeyId: string
  readonly accessKeySince: number
  /** Seconds since the epoch. */
  readonly expiration: number
}

export interface SealingKey {
  readonly id: string
  readonly secret: Buffer
}

/** Docker's credential stores take no more; ours have some 700 bytes. */
const longest = 4_096
const macBytes = 32

export function sealToken(
  { account, region, principalAccount, arn, userId, accessKeyId, accessKeySince, expiration }: TokenClaims,
  key: SealingKey,
): string {
  const claims = Buffer.from(
    JSON.stringify({ account, region, principalAccount, arn, userId, accessKeyId, accessKeySince, expiration }),
  )
  const mac = createHmac('sha256', key.secret).update(claims).digest()
  const payload = Buffer.concat([mac, claims]).toString('base64')
  return toBase64({ payload, datakey: key.id, version: '2', type: 'DATA_KEY', expiration })
}

/** Takes as long for any two texts of one length. */
export function isSealed(token: string, claims: TokenClaims, key: SealingKey): boolean {
  const given = Buffer.from(token)
  const expected = Buffer.from(sealToken(claims, key))
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** What a text claims to be, which nothing has proved yet; `undefined` if it is no token. */
export function readToken(token: string): { readonly keyId: string; readonly claims: TokenClaims } | undefined {
  if (token.length > longest) return undefined
  const { datakey, payload } = parseObject(Buffer.from(token, 'base64'))
  if (typeof datakey !== 'string' || typeof payload !== 'string') return undefined
  const claims = readClaims(parseObject(Buffer.from(payload, 'base64').subarray(macBytes)))
  return claims && { keyId: datakey, claims }
}

function readClaims(fields: Record<string, unknown>): TokenClaims | undefined {
  const { account, region, principalAccount, arn, userId, accessKeyId, accessKeySince, expiration } = fields
  if (typeof account !== 'string' || !isAccountId(account)) return undefined
  if (typeof region !== 'string' || !isRegion(region)) return undefined
  if (typeof principalAccount !== 'string' || !isAccountId(principalAccount)) return undefined
  if (typeof arn !== 'string' || typeof userId !== 'string' || typeof expiration !== 'number') return undefined
  if (typeof accessKeyId !== 'string' || typeof accessKeySince !== 'number') return undefined
  return { account, region, principalAccount, arn, userId, accessKeyId, accessKeySince, expiration }
}

/** The fields of a JSON object; none if it is something else. */
function parseObject(json: Buffer): Record<string, unknown> {
  try {
    return { ...JSON.parse(json.toString()) }
  } catch {
    return {}
  }
}

function toBase64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}
