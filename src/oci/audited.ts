import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuditedCall } from '#audit/call.ts'
import { type Circumstances, userAgentOf } from '#iam/circumstances.ts'
import type { Caller } from '#iam/principal.ts'
import { denialOf } from '#iam/refusals.ts'
import { Refusal } from '#lib/refusal.ts'
import { repositoryArn } from '#names/arn.ts'
import { isDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Route } from './call.ts'
import { replicationActions } from './replication.ts'
import type { Family, OciPath } from './url.ts'

/**
 * What the audit trail is told of a request of the data plane: recorded as the action of ECR that it stands for (ECR user guide,
 * "Logging Amazon ECR actions with AWS CloudTrail"). Recorded are pulls, pushes and deletions of images, what makes and removes
 * layers, and listings; downloads and the steps of an upload only where they are denied, since a pull or push of one image has
 * dozens of them and its manifest tells which they are.
 */

/** What was found out of a request by the time it was over. */
export interface Progress {
  principal: Caller | undefined
  registry: Registry | undefined
  circumstances: Circumstances | undefined
  path: OciPath | undefined
  route: Route<Family> | undefined
  /** What was asked for in the client's own terms, where those are an upstream's. */
  asked: string | undefined
  /** The registry that the request replicates from, if it does. */
  source: Registry | undefined
  /** Whether the request created its repository. */
  hasCreated: boolean
}

/** What is recorded whatever comes of it, by family and method, and as what. */
const events: { readonly [F in Family]?: Readonly<Record<string, string>> } = {
  manifest: { GET: 'BatchGetImage', PUT: 'PutImage', DELETE: 'BatchDeleteImage' },
  blob: { DELETE: 'DeleteLayer' },
  tags: { GET: 'ListImages' },
  catalog: { GET: 'DescribeRepositories' },
  referrers: { GET: 'ListImageReferrers' },
  upload: { PUT: 'CompleteLayerUpload' },
}

/** The answer to a request that was refused, and what was thrown. */
export interface Failure {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly error: unknown
}

/** Under this key pulls that are alike are counted together; `undefined` for anything but a pull. */
export function pullKey({ method }: FastifyRequest, { path, principal, registry, circumstances }: Progress) {
  if (path?.family !== 'manifest' || method !== 'GET') return
  if (principal === undefined || registry === undefined || circumstances === undefined) return
  const { sourceIp } = circumstances
  return `${principal.accessKeyId} ${sourceIp} ${registry.account} ${registry.region} ${path.name} ${path.reference} ${userAgentOf(circumstances)}`
}

/** Nothing for a request whose sender is not known, or that is none to record. */
export function auditedRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  progress: Progress,
  failure?: Failure,
): AuditedCall | undefined {
  const { principal, registry, circumstances, path, route, source } = progress
  if (principal === undefined || registry === undefined || circumstances === undefined || path === undefined) return
  const denial = denialOf(failure?.error)
  const denied = failure?.status === 403 ? (denial?.action ?? actionOf(route, source)) : undefined
  const event = source === undefined ? eventOf(path, request, reply.statusCode) : replicationOf(path, request)
  const name = denied?.replace(/^ecr:/, '') ?? event
  if (name === undefined) return
  const digest = reply.getHeader('docker-content-digest')
  const { parameters, response } = describe(request, path, registry, typeof digest === 'string' ? digest : undefined)
  return {
    ...{ requestId: request.id, service: 'ecr', name, principal, owner: registry.account, circumstances },
    resources: 'name' in path ? [repositoryArn(registry, path.name)] : [],
    parameters: JSON.stringify({ ...parameters, ...describeSource(source) }),
    response: failure === undefined ? JSON.stringify(response) : undefined,
    error: failure && { code: codeOf(failure), message: failure.message, denial },
  }
}

/** That a push by replication created its repository: a call of its own, as ECR records it. */
export function auditedCreation(request: FastifyRequest, progress: Progress): AuditedCall | undefined {
  const { principal, registry, circumstances, path, source } = progress
  if (principal === undefined || registry === undefined || circumstances === undefined) return
  if (path === undefined || !('name' in path)) return
  const place = { registryId: registry.account, repositoryName: path.name }
  const repositoryArnText = repositoryArn(registry, path.name)
  return {
    ...{ requestId: request.id, service: 'ecr', name: 'CreateRepository', principal, owner: registry.account },
    ...{ circumstances, resources: [repositoryArnText] },
    parameters: JSON.stringify({ ...place, ...describeSource(source) }),
    response: JSON.stringify({ repository: { ...place, repositoryArn: repositoryArnText } }),
  }
}

function actionOf(route: Route<Family> | undefined, source: Registry | undefined): string | undefined {
  return (source === undefined ? route?.actions : replicationActions)?.[0]?.[0]
}

/** ECR records one call for an image that is replicated, and none for its layers (ECR user guide, "Private image replication"). */
function replicationOf({ family }: OciPath, { method }: FastifyRequest): string | undefined {
  return family === 'manifest' && method === 'PUT' ? 'ReplicateImage' : undefined
}

function describeSource(source: Registry | undefined) {
  return source && { sourceRegistryId: source.account, sourceRegion: source.region }
}

/** The event's name; `undefined` for what is recorded only if it is denied. */
function eventOf(path: OciPath, { method, url }: FastifyRequest, status: number): string | undefined {
  if (path.family !== 'uploads') return events[path.family]?.[method]
  // A blob that was mounted, or pushed in this one request.
  if (method !== 'POST' || status !== 201) return undefined
  return /[?&]mount=/.test(url) && !/[?&]digest=/.test(url) ? 'MountLayer' : 'CompleteLayerUpload'
}

/** As ECR's own operation would have it. A manifest that was pushed is told by its digest, not by its text. */
function describe({ headers, method }: FastifyRequest, path: OciPath, registry: Registry, digest: string | undefined) {
  const place = { registryId: registry.account, ...('name' in path && { repositoryName: path.name }) }
  switch (path.family) {
    case 'manifest': {
      const imageId = imageIdOf(path.reference)
      if (method === 'PUT') {
        return {
          parameters: { ...place, ...imageId, imageManifestMediaType: short(headers['content-type']) },
          response: { image: { ...place, imageId: { imageDigest: digest, ...imageId } } },
        }
      }
      if (method === 'DELETE') {
        return { parameters: { ...place, imageIds: [imageId] }, response: { imageIds: [imageId], failures: [] } }
      }
      const acceptedMediaTypes = short(headers.accept)
        ?.split(',')
        .map((type) => type.trim())
      return { parameters: { ...place, imageIds: [imageId], acceptedMediaTypes } }
    }
    case 'blob':
    case 'referrers':
      return { parameters: { ...place, digest: short(path.digest) } }
    case 'uploads':
      return { parameters: place, response: { ...place, layerDigest: digest } }
    case 'upload':
      return { parameters: { ...place, uploadId: short(path.id) }, response: { ...place, layerDigest: digest } }
    default:
      return { parameters: place }
  }
}

function imageIdOf(reference: string) {
  const text = short(reference)
  return isDigest(reference) ? { imageDigest: text } : { imageTag: text }
}

/** A client chose it. */
function short(text: string | undefined): string | undefined {
  return text?.slice(0, 1_024)
}

/** The exceptions of ECR's operations; what has none there keeps the code of the distribution specification. */
const exceptions: Readonly<Record<string, string>> = {
  ImageArchived: 'ImageNotFoundException',
  ImageNotFound: 'ImageNotFoundException',
  ImageReferencedByIndex: 'ImageReferencedByManifestList',
  QuotaExceeded: 'LimitExceededException',
  RepositoryNotFound: 'RepositoryNotFoundException',
  StorageQuotaExceeded: 'LimitExceededException',
  TagImmutable: 'ImageTagAlreadyExistsException',
}

function codeOf({ error, code }: Failure): string {
  if (code === 'DENIED' && denialOf(error) !== undefined) return 'AccessDenied'
  return (error instanceof Refusal ? exceptions[error.code] : undefined) ?? code
}
