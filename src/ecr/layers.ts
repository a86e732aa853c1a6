import type { Handlers } from '#aws/operation.ts'
import { type DownloadLinks, linkParameter } from '#iam/download-links.ts'
import { Refusal } from '#lib/refusal.ts'
import { type Digest, isDigest } from '#names/digest.ts'
import type { Endpoints } from '#names/endpoints.ts'
import { pushCreating } from '#registry/create-on-push.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import { type ContentRefusals, refuse as refuseContent } from '#registry/refusals.ts'
import type { Repositories } from '#registry/repositories.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import type { Uploads } from '#registry/uploads.ts'
import { constraints } from './constraints.ts'
import type { Layer, LayerFailure, Operations } from './model.ts'
import { refuse } from './refusals.ts'
import { pullerOf, pusherOf, repositoryKey, repositoryResource } from './request.ts'
import { asUpstreamFailure } from './upstream-failures.ts'

/** Layers: whether they are there, where to download them, and pushing them in parts. */
export interface LayerParts {
  readonly repositories: Repositories
  readonly linkedBlobs: LinkedBlobs
  readonly uploads: Uploads
  readonly downloadLinks: DownloadLinks
  readonly endpoints: Endpoints
}

/** What clients are told to send at once: the most that ECR's quota for a part allows (user guide, "Service quotas"). */
const partSizeBytes = 10 * 1024 * 1024

export function layerOperations({ repositories, linkedBlobs, uploads, downloadLinks, endpoints }: LayerParts) {
  return {
    BatchCheckLayerAvailability: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const asked = [...new Set(request.input.layerDigests)]
        const available = await linkedBlobs.availability(key, asked.filter(isDigest))
        const failures = asked.flatMap((digest) => failureOf(digest) ?? [])
        const layers = asked
          .filter((digest) => failureOf(digest) === undefined)
          .map((layerDigest): Layer => {
            const blob = isDigest(layerDigest) ? available.get(layerDigest) : undefined
            if (blob === undefined) return { layerDigest, layerAvailability: 'UNAVAILABLE' }
            const { sizeBytes: layerSize, mediaType, archived } = blob
            return { layerDigest, layerAvailability: archived ? 'ARCHIVED' : 'AVAILABLE', layerSize, mediaType }
          })
        return { layers, failures }
      },
    },

    GetDownloadUrlForLayer: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const digest = await requireNameable(key, request.input.layerDigest)
        await linkedBlobs
          .requireReferenced(key, digest, pullerOf(request))
          .catch(asUpstreamFailure('UpstreamLayerFailed'))
        const link = await downloadLinks.seal({ ...key, digest })
        const endpoint = endpoints.proxyEndpoint(key.registry, request.origin)
        const downloadUrl = `${endpoint}/v2/${key.name}/blobs/${digest}?${linkParameter}=${link}`
        return { downloadUrl, layerDigest: digest }
      },
    },

    InitiateLayerUpload: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const uploadId = await pushCreating(repositories, pusherOf(request), () => uploads.start(key)).catch(
          (error) => {
            throw isOverQuota(error) ? refuseContent('RepositoryNotFound', inRepository(key)) : error
          },
        )
        return { uploadId, partSize: partSizeBytes }
      },
    },

    UploadLayerPart: {
      resource: repositoryResource,
      // A part of 20 MiB, the most that ECR takes, is 27 MiB of base64.
      largeBody: { maxBytes: 32 * 1024 * 1024, maxEntries: 100 },
      handle: async (request) => {
        const {
          repositoryName,
          uploadId,
          partFirstByte: first,
          partLastByte: last,
          layerPartBlob: bytes,
        } = request.input
        const key = repositoryKey(request)
        const received = await uploads.appendPart(key, uploadId, { first, last, bytes })
        return { registryId: key.registry.account, repositoryName, uploadId, lastByteReceived: received - 1 }
      },
    },

    CompleteLayerUpload: {
      resource: repositoryResource,
      handle: async (request) => {
        const { repositoryName, uploadId, layerDigests } = request.input
        const key = repositoryKey(request)
        const digests = layerDigests.filter(isDigest)
        if (digests.length === 0) {
          await uploads.offset(key, uploadId)
          throw refuse('LayerDigestsUnusable', { given: layerDigests })
        }
        const { digest } = await uploads.completeParts(key, uploadId, digests)
        return { registryId: key.registry.account, repositoryName, uploadId, layerDigest: digest }
      },
    },
  } satisfies Handlers<
    Operations,
    | 'BatchCheckLayerAvailability'
    | 'GetDownloadUrlForLayer'
    | 'InitiateLayerUpload'
    | 'UploadLayerPart'
    | 'CompleteLayerUpload'
  >

  /** A digest that the model admits may be of an algorithm that no content here is known by. */
  async function requireNameable(key: RepositoryKey, digest: string): Promise<Digest> {
    if (isDigest(digest)) return digest
    await repositories.get(key)
    throw refuse('LayerUnnameable', { ...inRepository(key), digest })
  }
}

/**
 * The model gives InitiateLayerUpload no exception for a registry that has no room for the repository that a template would make:
 * there is none, and there will be none.
 */
function isOverQuota(error: unknown): boolean {
  return error instanceof Refusal && error.code === ('QuotaExceeded' satisfies keyof ContentRefusals)
}

const digestPattern = constraints.ImageDigest.pattern
const digestForm = new RegExp(`^${digestPattern}$`)

/** The model leaves this operation's digests open: each that is none fails for itself. */
function failureOf(layerDigest: string): LayerFailure | undefined {
  if (layerDigest === '') {
    return {
      layerDigest,
      failureCode: 'MissingLayerDigest',
      failureReason: 'Invalid request parameters: layer digest cannot be empty',
    }
  }
  if (digestForm.test(layerDigest)) return undefined
  return {
    layerDigest,
    failureCode: 'InvalidLayerDigest',
    failureReason: `Invalid request parameters: layer digest should satisfy the regex '${digestPattern}'`,
  }
}
