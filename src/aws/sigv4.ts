import { hash, timingSafeEqual } from 'node:crypto'
import { getCanonicalHeaders, SignatureV4 } from '@smithy/signature-v4'
import type { Clock } from '#lib/clock.ts'
import { Sha256 } from '#lib/sha256.ts'
import type { Region } from '#names/region.ts'
import { expiredToken, invalidSignature, unrecognizedClient } from './aws-error.ts'
import { type Call, type CallHead, header } from './call.ts'
import { formatSigningTime, readClaim, type SignatureClaim } from './signature-claim.ts'

/**
 * Verifies AWS Signature Version 4 in its header and its presigned form: the signature is computed again from the secret
 * and the bytes that arrived, and compared in constant time. The body counts as it is: a hash that a header claims for it
 * must be true, and `UNSIGNED-PAYLOAD`, which is S3's alone, is not.
 */

/** The secret and the owner of an access key, or nothing when there is no such key or it is not active. */
export type FindCredential<Principal> = (accessKeyId: string) => Promise<FoundCredential<Principal> | undefined>

interface FoundCredential<Principal> {
  readonly secret: string
  readonly principal: Principal
  /** Of temporary credentials: what their session token hashes to, and when they end. */
  readonly session?: { readonly tokenHash: string; readonly expiresAt: number }
}

export interface Authenticated<Principal> {
  readonly principal: Principal
  /** The region of the signature's scope, which chooses the registry. */
  readonly region: Region
}

/** Imposed by AWS for its JSON and query services. */
const skewMs = 5 * 60_000

/** A claim that may well be true: in time, and of a key that there is. */
export interface Signed<Principal> {
  readonly claim: SignatureClaim
  readonly secret: string
  readonly principal: Principal
}

/** Refusals come under the names and with the texts that SDKs match on, the clock-skew ones included. */
export interface SignatureVerifier<Principal> {
  /** What the head says of its signature, without the body that was signed. @throws AwsError */
  readSigned(head: CallHead): Promise<Signed<Principal>>
  /** The owner of the key, now that the signature is proved. @throws AwsError */
  verify(call: Call, signed: Signed<Principal>): Promise<Authenticated<Principal>>
}

export function createSignatureVerifier<Principal>({
  findCredential,
  clock,
}: {
  findCredential: FindCredential<Principal>
  clock: Clock
}): SignatureVerifier<Principal> {
  return {
    async readSigned(head) {
      const claim = readClaim(head)
      checkTime(claim, clock())
      const found = await findCredential(claim.accessKeyId)
      if (found === undefined || !fits(claim.sessionToken, found.session?.tokenHash)) throw unrecognizedClient()
      const { secret, principal, session } = found
      if (session !== undefined && clock() >= session.expiresAt) throw expiredToken()
      return { claim, secret, principal }
    },

    async verify(call, { claim, secret, principal }) {
      const payloadHash = hash('sha256', call.body, 'hex')
      const claimedHash = header(call, 'x-amz-content-sha256')
      const expected = await new Signer(claim, secret).signature(call, payloadHash)
      if (!equal(expected, claim.signature) || (claimedHash !== undefined && claimedHash !== payloadHash)) {
        throw invalidSignature(
          'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
            'and signing method. Consult the service documentation for details.',
        )
      }
      return { principal, region: claim.region }
    },
  }
}

/** A call for `service`, or for any where that is undefined, must be signed for it. @throws AwsError */
export function requireScope({ service: claimed }: SignatureClaim, service: string | undefined): void {
  if (service !== undefined && claimed !== service) {
    throw invalidSignature(`Credential should be scoped to correct service: '${service}'.`)
  }
}

/**
 * Smithy's signer, asked for the signature of a request as it arrived. Its own `sign` and `presign` would first rewrite
 * headers and query as a client does. It remembers the 50 signing keys derived last, by secret, date, region and service.
 */
class Signer extends SignatureV4 {
  readonly #claim: SignatureClaim

  constructor(claim: SignatureClaim, secret: string) {
    super({
      credentials: { accessKeyId: claim.accessKeyId, secretAccessKey: secret },
      region: claim.region,
      service: claim.service,
      sha256: Sha256,
      applyChecksum: false,
    })
    this.#claim = claim
  }

  /** Undefined when a header that was signed has not arrived. */
  async signature(call: Call, payloadHash: string): Promise<string | undefined> {
    const { signedHeaders, signedAt, signedAtText, date, region, service } = this.#claim
    const headers: Record<string, string> = {}
    for (const name of signedHeaders) {
      const value = header(call, name)
      if (value === undefined) return undefined
      headers[name] = value
    }
    const { method, path } = call
    const request = { method, path, query: queryBag(call.query), headers, protocol: 'http:', hostname: '' }
    const canonical = this.createCanonicalRequest(
      request,
      getCanonicalHeaders(request, undefined, new Set(signedHeaders)),
      payloadHash,
    )
    const scope = `${date}/${region}/${service}/aws4_request`
    const text = await this.createStringToSign(signedAtText, scope, canonical, 'AWS4-HMAC-SHA256')
    return this.sign(text, { signingDate: new Date(signedAt) })
  }
}

function queryBag(query: URLSearchParams): Record<string, string[]> {
  const bag: Record<string, string[]> = Object.create(null)
  for (const name of new Set(query.keys())) bag[name] = query.getAll(name)
  return bag
}

/** Texts as AWS words them: SDKs correct their clock, from the answer's `Date`, when they read one. */
function checkTime({ signedAt, signedAtText, expiresInSeconds }: SignatureClaim, now: number): void {
  const validMs = expiresInSeconds === undefined ? skewMs : expiresInSeconds * 1000
  const nowText = formatSigningTime(now)
  if (signedAt < now - validMs) {
    const earliest = formatSigningTime(now - validMs)
    throw invalidSignature(
      `Signature expired: ${signedAtText} is now earlier than ${earliest} (${nowText} - ${span(validMs)})`,
    )
  }
  if (signedAt > now + skewMs) {
    const latest = formatSigningTime(now + skewMs)
    throw invalidSignature(
      `Signature not yet current: ${signedAtText} is still later than ${latest} (${nowText} + ${span(skewMs)})`,
    )
  }
}

function span(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min.` : `${ms / 1000} sec.`
}

/** Temporary credentials come with their session token, and others with none. */
function fits(token: string | undefined, tokenHash: string | undefined): boolean {
  if (token === undefined || tokenHash === undefined) return token === tokenHash
  return equal(hash('sha256', token, 'base64'), tokenHash)
}

function equal(a: string | undefined, b: string): boolean {
  return a !== undefined && a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
