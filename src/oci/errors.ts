import type { BodyRefusals } from '#http/bodies.ts'
import type { IamRefusals, KeySignInRefusals } from '#iam/refusals.ts'
import type { RateRefusals } from '#iam/request-rates.ts'
import { Refusal } from '#lib/refusal.ts'
import { isStorageFull } from '#lib/storage-full.ts'
import type { NameRefusals } from '#names/refusals.ts'
import type { ContentRefusals, IncomingRefusals } from '#registry/refusals.ts'
import type { UpstreamContentRefusals } from '#upstream/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import { registryTexts } from '#wording/registry.ts'
import { upstreamTexts } from '#wording/upstream.ts'
import { printUploadRange } from './ranges.ts'
import type { OciRefusals } from './refusals.ts'

/**
 * The data plane's errors: for each refusal the status, the code of the distribution specification and the text. Where ECR refuses
 * on purpose (authorization, immutability), its code and text. A text that ECR has comes first and literally; what follows it says
 * what to do.
 */
type Refusals = OciRefusals &
  BodyRefusals &
  ContentRefusals &
  IncomingRefusals &
  IamRefusals &
  KeySignInRefusals &
  NameRefusals &
  RateRefusals &
  UpstreamContentRefusals

type Codes = {
  readonly [Code in keyof Refusals]: readonly [
    status: number,
    code: string,
    text: (facts: Refusals[Code]) => string,
    headers?: (facts: Refusals[Code]) => Readonly<Record<string, string>>,
  ]
}

const nameCodes: Record<NameRefusals['NameInvalid']['kind'], string> = {
  repository: 'NAME_INVALID',
  'repository prefix': 'NAME_INVALID',
  tag: 'TAG_INVALID',
  digest: 'DIGEST_INVALID',
  'media type': 'MANIFEST_INVALID',
  account: 'NAME_INVALID',
  region: 'NAME_INVALID',
  arn: 'NAME_INVALID',
}

/** Where an upstream does not say how long its limit lasts. */
const defaultRetryMs = 60_000

const logIn = 'Log in first: aws ecr get-login-password | docker login --username AWS --password-stdin <registry>'

export const notAuthorized = `Not Authorized. ${logIn}`

const codes: Codes = {
  EndpointUnknown: [404, 'UNSUPPORTED', ({ path }) => `The distribution API has no endpoint '${path}'`],
  MethodUnsupported: [
    405,
    'UNSUPPORTED',
    ({ method }) => `The method ${method} is not supported here`,
    ({ supported }) => ({ allow: supported.join(', ') }),
  ],
  HostUnresolvable: [400, 'NAME_INVALID', ({ host }) => `Could not resolve registry id from host ${host}`],
  ParameterInvalid: [
    400,
    'UNSUPPORTED',
    ({ parameter, expected }) => `The parameter '${parameter}' must be ${expected}`,
  ],
  HeaderInvalid: [400, 'UNSUPPORTED', ({ header, expected }) => `The header '${header}' must be ${expected}`],
  ContentRangeInvalid: [
    416,
    'BLOB_UPLOAD_INVALID',
    ({ header }) => `The Content-Range '${header}' must be '<first byte>-<last byte>' and fit the length of the body`,
  ],
  RangeUnsatisfiable: [
    416,
    'UNSUPPORTED',
    ({ sizeBytes }) => `The range begins past the end of the blob, which has ${sizeBytes} bytes`,
    ({ sizeBytes }) => ({ 'content-range': `bytes */${sizeBytes}` }),
  ],
  PreconditionFailed: [
    412,
    'UNSUPPORTED',
    ({ digest }) => `The condition in If-Match is not met: the content is '${digest}'`,
  ],
  TokenOfOtherRegion: [
    403,
    'DENIED',
    ({ tokenRegion, region }) =>
      `Your authorization token was issued in region ${tokenRegion} and is not valid in ${region}. Log in there: aws ecr get-login-password --region ${region}`,
  ],
  ImageUnnameable: [
    404,
    'MANIFEST_UNKNOWN',
    ({ reference }) => `Requested image not found: '${reference}' is neither a tag nor a digest`,
  ],
  DownloadLinkInvalid: [
    403,
    'DENIED',
    () => 'The download URL is not valid or has expired. Ask for a new one: aws ecr get-download-url-for-layer',
  ],
  MirrorReadOnly: [
    405,
    'UNSUPPORTED',
    ({ endpoint }) => `A mirror only serves pulls. Push to the repository itself, at ${endpoint}`,
    () => ({ allow: 'GET, HEAD' }),
  ],
  MirrorWithoutCatalog: [404, 'UNSUPPORTED', () => 'A mirror has no catalog: it would name what is cached so far'],
  HostNotCached: [
    404,
    'NAME_UNKNOWN',
    ({ host, repository }) =>
      `No rule of the pull-through cache caches '${repository}' of ${shown(host)}. Create one: aws ecr create-pull-through-cache-rule`,
  ],

  BodyTooLarge: [413, 'SIZE_INVALID', ({ maxBytes }) => `The body may have at most ${maxBytes} bytes`],
  BodyTooSlow: [408, 'SIZE_INVALID', ({ deadlineMs }) => `The body did not arrive within ${deadlineMs} ms`],
  BodiesTooMany: [429, 'TOOMANYREQUESTS', () => 'Rate exceeded'],
  RateExceeded: [
    429,
    'TOOMANYREQUESTS',
    ({ retryAfterSeconds }) => `Rate exceeded: try again after ${retryAfterSeconds} s`,
    ({ retryAfterSeconds }) => ({ 'retry-after': String(retryAfterSeconds) }),
  ],
  BodyBrokeOff: [400, 'SIZE_INVALID', () => 'The request ended before its body did'],

  CredentialsMissing: [401, 'UNAUTHORIZED', () => notAuthorized],
  CredentialsInvalid: [
    401,
    'UNAUTHORIZED',
    () => `Not Authorized: the user name is AWS, the password an authorization token. ${logIn}`,
  ],
  TokenMalformed: [401, 'UNAUTHORIZED', () => `Not Authorized: the password is no valid authorization token. ${logIn}`],
  TokenExpired: [403, 'DENIED', () => 'Your authorization token has expired. Reauthenticate and try again.'],
  AccessKeyInvalid: [
    401,
    'UNAUTHORIZED',
    ({ temporary }) =>
      temporary
        ? `Not Authorized: temporary credentials need a session token and cannot be a password. ${logIn}`
        : `Not Authorized: no active access key has this user as its id and this password as its secret. ${logIn}`,
  ],
  SignInThrottled: [
    429,
    'TOOMANYREQUESTS',
    () => 'Too many failed sign-ins by access key from this address. Wait a minute, and check the key.',
    ({ waitMs }) => ({ 'retry-after': String(Math.ceil(waitMs / 1_000)) }),
  ],
  AccessDenied: [403, 'DENIED', accessDeniedText],

  NameInvalid: [400, 'NAME_INVALID', ({ kind, value }) => `'${value}' is not a valid ${kind}`],

  RepositoryNotFound: [
    404,
    'NAME_UNKNOWN',
    (facts) =>
      `${registryTexts.RepositoryNotFound(facts)}. Create it first: aws ecr create-repository --repository-name ${facts.repository}`,
  ],
  TemplateRoleMissing: [404, 'NAME_UNKNOWN', registryTexts.TemplateRoleMissing],
  QuotaExceeded: [403, 'DENIED', registryTexts.QuotaExceeded],
  StorageQuotaExceeded: [403, 'DENIED', registryTexts.StorageQuotaExceeded],
  ImageNotFound: [
    404,
    'MANIFEST_UNKNOWN',
    ({ query, repository }) => `Requested image not found: ${repository}${printQuery(query)}`,
  ],
  ImageArchived: [
    404,
    'MANIFEST_UNKNOWN',
    ({ query, digest, repository }) =>
      `Requested image not found: ${repository}${printQuery(query)} is archived. Restore it first: aws ecr update-image-storage-class --repository-name ${repository} --image-id imageDigest=${digest} --target-storage-class STANDARD`,
  ],
  ImageReferencedByIndex: [
    405,
    'UNSUPPORTED',
    (facts) => `${registryTexts.ImageReferencedByIndex(facts)}. Delete that first.`,
  ],
  ImageInUse: [
    403,
    'DENIED',
    (facts) =>
      `${registryTexts.ImageInUse(facts)}. Stop what runs it and report again what is in use, or delete the report of a cluster that is gone: lading in-use delete <cluster>`,
  ],
  TagImmutable: [400, 'TAG_INVALID', registryTexts.TagImmutable],
  ManifestInvalid: [
    400,
    'MANIFEST_INVALID',
    ({ path, problem }) => `The manifest is not valid: ${path === '' ? 'it' : `'${path}'`} ${problem}`,
  ],
  ManifestTooLarge: [413, 'SIZE_INVALID', ({ limitBytes }) => `A manifest may have at most ${limitBytes} bytes`],
  ManifestMediaTypeUnsupported: [
    400,
    'MANIFEST_INVALID',
    ({ mediaType }) =>
      mediaType === undefined
        ? 'The manifest has no media type: send it as Content-Type or in the member mediaType'
        : `Manifests of media type '${mediaType}' are not supported`,
  ],
  ManifestDigestMismatch: [400, 'DIGEST_INVALID', registryTexts.ManifestDigestMismatch],
  ReferencedBlobsMissing: [400, 'MANIFEST_BLOB_UNKNOWN', registryTexts.ReferencedBlobsMissing],
  ReferencedManifestsMissing: [400, 'MANIFEST_BLOB_UNKNOWN', registryTexts.ReferencedManifestsMissing],

  BlobNotFound: [404, 'BLOB_UNKNOWN', registryTexts.BlobNotFound],
  BlobReferenced: [
    405,
    'UNSUPPORTED',
    ({ digest, manifest, inBin, repository }) =>
      inBin
        ? `The blob ${digest} is referenced by the manifest ${manifest} in the recycle bin, which could not be restored without it. Purge that first: lading recycle-bin purge ${repository} ${manifest}`
        : `The blob ${digest} is referenced by the manifest ${manifest}. Delete that first.`,
  ],

  UploadNotFound: [404, 'BLOB_UPLOAD_UNKNOWN', registryTexts.UploadNotFound],
  UploadOutOfOrder: [
    416,
    'BLOB_UPLOAD_INVALID',
    ({ upload, offset }) => `The upload ${upload} holds ${offset} bytes: the next chunk begins at byte ${offset}`,
    ({ offset }) => ({ range: printUploadRange(offset) }),
  ],
  UploadLengthMismatch: [
    400,
    'SIZE_INVALID',
    ({ upload }) => `The chunk for upload ${upload} has not the length that was announced for it`,
  ],
  UploadDigestMismatch: [
    400,
    'DIGEST_INVALID',
    (facts) => `${registryTexts.UploadDigestMismatch()}, which is ${facts.computed}`,
  ],
  // Docker's code for a service that is not there now: its clients retry.
  UpstreamUnavailable: [503, 'UNAVAILABLE', upstreamTexts.UpstreamUnavailable],
  UpstreamLimited: [
    429,
    'TOOMANYREQUESTS',
    upstreamTexts.UpstreamLimited,
    ({ retryAfterMs }) => ({ 'retry-after': String(Math.ceil((retryAfterMs ?? defaultRetryMs) / 1_000)) }),
  ],
  UpstreamDenied: [403, 'DENIED', upstreamTexts.UpstreamDenied],
  UpstreamCredentialsUnusable: [403, 'DENIED', upstreamTexts.UpstreamCredentialsUnusable],
  UpstreamBlobMissing: [404, 'BLOB_UNKNOWN', upstreamTexts.UpstreamBlobMissing],

  UploadTakenOver: [409, 'BLOB_UPLOAD_INVALID', ({ upload }) => `A newer request continues the upload ${upload}`],

  IncomingBlobInvalid: [
    502,
    'UNKNOWN',
    ({ digest, problem }) =>
      problem === 'length'
        ? `The upstream sends the blob ${digest} with another length than it announced; nothing was stored`
        : `The upstream sends other bytes than those of the blob ${digest}; nothing was stored`,
  ],
  IncomingBlobBroken: [
    503,
    'UNKNOWN',
    ({ digest }) => `The transfer of the blob ${digest} from the upstream ended early; try again`,
  ],
}

/** A client chose it. */
function shown(host: string): string {
  return `'${host.slice(0, 255)}'`
}

function printQuery({ tag, digest }: ContentRefusals['ImageNotFound']['query']): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`)
}

export interface OciAnswer {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
}

/** The answer to a refusal; `undefined` for anything else that was thrown, but for a store without room, which has one of its own. */
export function describeError(error: unknown): OciAnswer | undefined {
  if (isStorageFull(error)) return answer(507, 'UNKNOWN', 'The storage of the registry is full; nothing was stored')
  if (!(error instanceof Refusal) || !Object.hasOwn(codes, error.code)) return undefined
  const [status, code, text, headers] = codes[error.code as keyof Codes]
  // The table is keyed by code, and `refuse` lets no refusal exist whose facts do not fit its code.
  const facts = error.facts as never
  const named =
    error.code === ('NameInvalid' satisfies keyof Codes) ? nameCodes[(facts as NameRefusals['NameInvalid']).kind] : code
  return answer(status, named, text(facts), headers?.(facts))
}

export function answer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): OciAnswer {
  return { status, code, message, headers }
}
