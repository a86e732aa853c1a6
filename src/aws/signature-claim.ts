import { isRegion, type Region } from '#names/region.ts'
import { incompleteSignature, invalidSignature, missingAuthentication } from './aws-error.ts'
import { type CallHead, header } from './call.ts'

/**
 * What a request says of its own signature (AWS Signature Version 4), read from the `Authorization` header or from the
 * query of a presigned URL. Nothing here is proved yet: the claim is well formed and agrees with itself, no more.
 */
export interface SignatureClaim {
  readonly accessKeyId: string
  /** `YYYYMMDD`, the date of the scope and of the signing time alike. */
  readonly date: string
  readonly region: Region
  readonly service: string
  /** Lower case, as listed. */
  readonly signedHeaders: readonly string[]
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string
  /** `YYYYMMDDTHHMMSSZ`, as signed. */
  readonly signedAtText: string
  /** Milliseconds since the epoch. */
  readonly signedAt: number
  /** Present on a presigned request alone. */
  readonly expiresInSeconds: number | undefined
  readonly sessionToken: string | undefined
}

const algorithm = 'AWS4-HMAC-SHA256'
/** Imposed by AWS: a presigned request lives for a week at most. */
const maxExpirySeconds = 604_800

/** Whether a request says that it is signed, in whichever form. */
export function claimsSignature(head: CallHead): boolean {
  return header(head, 'authorization') !== undefined || hasQuerySignature(head)
}

function hasQuerySignature({ query }: CallHead): boolean {
  return query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm')
}

/** The service in the scope of a signature, of which nothing else has been checked; undefined where there is none. */
export function scopedService(head: CallHead): string | undefined {
  const credential = header(head, 'authorization') ?? head.query.get('X-Amz-Credential') ?? ''
  return /\/\d{8}\/[^/\s]+\/([a-z0-9-]+)\/aws4_request\b/.exec(credential)?.[1]
}

/** @throws AwsError missing authentication, an incomplete or a self-contradicting signature */
export function readClaim(call: CallHead): SignatureClaim {
  const authorization = header(call, 'authorization')
  if (authorization !== undefined) return readHeader(call, authorization)
  if (hasQuerySignature(call)) return readQuery(call)
  throw missingAuthentication()
}

function readHeader(call: CallHead, authorization: string): SignatureClaim {
  const [scheme = '', ...rest] = authorization.trim().split(/\s+/)
  if (scheme !== algorithm) {
    throw incompleteSignature(
      `Authorization header must begin with '${algorithm}'. Sign the request with an access key.`,
    )
  }
  const fields = new Map(
    rest
      .join('')
      .split(',')
      .map((pair): [string, string] => {
        const at = pair.indexOf('=')
        return [pair.slice(0, at), pair.slice(at + 1)]
      }),
  )
  const missing = ['Credential', 'SignedHeaders', 'Signature']
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`)
  const signedAtText = header(call, 'x-amz-date')
  if (signedAtText === undefined) missing.push("Authorization header requires existence of an 'X-Amz-Date' header.")
  if (missing.length > 0) throw incompleteSignature(missing.join(' '))
  return assemble(call, {
    credential: fields.get('Credential') ?? '',
    signedHeaders: fields.get('SignedHeaders') ?? '',
    signature: fields.get('Signature') ?? '',
    signedAtText: signedAtText ?? '',
    mustBeSigned: ['host', 'x-amz-date'],
    expiresInSeconds: undefined,
    sessionToken: header(call, 'x-amz-security-token'),
  })
}

function readQuery(call: CallHead): SignatureClaim {
  const names = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ]
  const missing = names.filter((name) => !call.query.get(name))
  if (missing.length > 0) {
    throw incompleteSignature(missing.map((name) => `AWS query-string parameters must include '${name}'.`).join(' '))
  }
  const value = (name: string) => call.query.get(name) ?? ''
  if (value('X-Amz-Algorithm') !== algorithm) throw incompleteSignature(`X-Amz-Algorithm must be '${algorithm}'.`)
  const expires = value('X-Amz-Expires')
  const expiresInSeconds = /^\d{1,6}$/.test(expires) ? Number(expires) : 0
  if (expiresInSeconds < 1 || expiresInSeconds > maxExpirySeconds) {
    throw incompleteSignature(
      `X-Amz-Expires must be a number of seconds from 1 to ${maxExpirySeconds}, got '${expires}'.`,
    )
  }
  return assemble(call, {
    credential: value('X-Amz-Credential'),
    signedHeaders: value('X-Amz-SignedHeaders'),
    signature: value('X-Amz-Signature'),
    signedAtText: value('X-Amz-Date'),
    mustBeSigned: ['host'],
    expiresInSeconds,
    sessionToken: call.query.get('X-Amz-Security-Token') ?? undefined,
  })
}

interface Parts {
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
  readonly signedAtText: string
  readonly mustBeSigned: readonly string[]
  readonly expiresInSeconds: number | undefined
  readonly sessionToken: string | undefined
}

function assemble(call: CallHead, parts: Parts): SignatureClaim {
  const { signedAtText, signature, expiresInSeconds, sessionToken } = parts
  const signedAt = parseSigningTime(signedAtText)
  if (signedAt === undefined) {
    throw incompleteSignature(
      `Date must be in ISO-8601 'basic format'. Got '${signedAtText}'. See https://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
  const scope = parseScope(parts.credential, signedAtText)
  const signedHeaders = parts.signedHeaders.toLowerCase().split(';')
  // X-Amz-Target names the operation: left unsigned, whoever carries the request could choose another one.
  const mustBeSigned =
    header(call, 'x-amz-target') === undefined ? parts.mustBeSigned : [...parts.mustBeSigned, 'x-amz-target']
  for (const name of mustBeSigned) {
    if (!signedHeaders.includes(name)) {
      throw invalidSignature(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`)
    }
  }
  if (!/^[0-9a-f]{64}$/.test(signature))
    throw incompleteSignature('Signature must be 64 hexadecimal digits in lower case.')
  return { ...scope, signedHeaders, signature, signedAtText, signedAt, expiresInSeconds, sessionToken }
}

function parseScope(credential: string, signedAtText: string) {
  const parts = credential.split('/')
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = parts
  if (parts.length !== 5) {
    throw incompleteSignature(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    )
  }
  if (terminator !== 'aws4_request') {
    throw invalidSignature(`Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`)
  }
  if (date !== signedAtText.slice(0, 8)) {
    throw invalidSignature(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ` +
        `'${date}' != '${signedAtText.slice(0, 8)}', from '${signedAtText}'.`,
    )
  }
  if (!isRegion(region)) throw invalidSignature(`Credential should be scoped to a valid region, not '${region}'.`)
  return { accessKeyId, date, region, service }
}

const signingTime = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** `YYYYMMDDTHHMMSSZ` → milliseconds since the epoch. */
function parseSigningTime(text: string): number | undefined {
  if (!signingTime.test(text)) return undefined
  const at = Date.parse(text.replace(signingTime, '$1-$2-$3T$4:$5:$6Z'))
  return Number.isNaN(at) ? undefined : at
}

/** Milliseconds since the epoch → `YYYYMMDDTHHMMSSZ`. */
export function formatSigningTime(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
}
