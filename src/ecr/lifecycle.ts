import type { Handlers } from '#aws/operation.ts'
import { withoutSpace } from '#lib/json.ts'
import type { LifecyclePolicies } from '#lifecycle/policies.ts'
import type { StoredPolicy } from '#lifecycle/policy-rows.ts'
import type { Preview, PreviewResult } from '#lifecycle/preview-rows.ts'
import type { LifecyclePreviews } from '#lifecycle/previews.ts'
import type { Digest } from '#names/digest.ts'
import type { Images } from '#registry/images.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { readImageId } from './image-ids.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage, refusePaging } from './paging.ts'
import { refuse } from './refusals.ts'
import { repositoryKey, repositoryResource } from './request.ts'

/** Lifecycle policies, and what one would do. */
export interface LifecycleParts {
  readonly images: Images
  readonly lifecyclePolicies: LifecyclePolicies
  readonly lifecyclePreviews: LifecyclePreviews
}

export function lifecycleOperations({ images, lifecyclePolicies, lifecyclePreviews }: LifecycleParts) {
  return {
    PutLifecyclePolicy: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const { lifecyclePolicyText } = request.input
        await lifecyclePolicies.put(key, lifecyclePolicyText)
        return { ...describeKey(key), lifecyclePolicyText }
      },
    },

    GetLifecyclePolicy: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        return describePolicy(key, await lifecyclePolicies.get(key))
      },
    },

    DeleteLifecyclePolicy: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        return describePolicy(key, await lifecyclePolicies.delete(key))
      },
    },

    StartLifecyclePolicyPreview: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const lifecyclePolicyText = await lifecyclePreviews.start(key, request.input.lifecyclePolicyText)
        return { ...describeKey(key), lifecyclePolicyText, status: 'IN_PROGRESS' }
      },
    },

    GetLifecyclePolicyPreview: {
      resource: repositoryResource,
      handle: async (request) => {
        const { input } = request
        const key = repositoryKey(request)
        if (input.imageIds !== undefined) refusePaging(input, 'imageIds')
        const preview = await lifecyclePreviews.get(key)
        const tagStatus = input.filter?.tagStatus ?? 'ANY'
        // A token is good for its preview alone: the next one of the repository has other results.
        const page = openPage(input, ['GetLifecyclePolicyPreview', preview.id, tagStatus], [isPosition])
        const digests = input.imageIds && (await findDigests(key, input.imageIds))
        const { items, next } = await lifecyclePreviews.listResults(
          preview,
          { tagStatus, digests },
          { limit: page.limit, after: page.after && Number(page.after[0]) },
        )
        return {
          ...describeKey(key),
          lifecyclePolicyText: preview.text,
          status: preview.status,
          previewResults: items.map(describeResult),
          summary: preview.status === 'COMPLETE' ? describeCounts(preview) : undefined,
          nextToken: page.nextToken(next === undefined ? undefined : [String(next)]),
        }
      },
    },
  } satisfies Handlers<
    Operations,
    | 'PutLifecyclePolicy'
    | 'GetLifecyclePolicy'
    | 'DeleteLifecyclePolicy'
    | 'StartLifecyclePolicyPreview'
    | 'GetLifecyclePolicyPreview'
  >

  /** Of the images that are asked for those that there are. The model has no error for others, which no preview shows. */
  async function findDigests(key: RepositoryKey, imageIds: readonly wire.ImageIdentifier[]): Promise<Digest[]> {
    const digests: Digest[] = []
    for (const imageId of imageIds) {
      const { asked, failure } = readImageId(imageId)
      if (failure !== undefined && failure.failureCode !== 'ImageNotFound') {
        throw refuse('ParameterInvalid', { member: 'imageIds', constraint: failure.failureReason ?? '' })
      }
      if (asked === undefined) continue
      const given = 'digest' in asked ? asked.digest : undefined
      const digest = 'tag' in asked ? await images.resolve(key, { tag: asked.tag }) : given
      if (digest !== undefined && (given === undefined || given === digest)) digests.push(digest)
    }
    return digests
  }
}

function isPosition(text: string): boolean {
  return /^\d{1,9}$/.test(text)
}

function describeKey({ registry, name }: RepositoryKey) {
  return { registryId: registry.account, repositoryName: name }
}

/** A policy that was never evaluated is shown with the time 0, as in the API reference's example of DeleteLifecyclePolicy. */
function describePolicy(key: RepositoryKey, { text, lastEvaluatedAt = 0 }: StoredPolicy) {
  return {
    ...describeKey(key),
    lifecyclePolicyText: withoutSpace(text),
    lastEvaluatedAt: new Date(lastEvaluatedAt),
  }
}

function describeResult(result: PreviewResult): wire.LifecyclePolicyPreviewResult {
  return {
    imageTags: [...result.tags],
    imageDigest: result.digest,
    imagePushedAt: new Date(result.pushedAt),
    action: result.action === 'expire' ? { type: 'EXPIRE' } : { type: 'TRANSITION', targetStorageClass: 'ARCHIVE' },
    appliedRulePriority: result.rulePriority,
    storageClass: result.storageClass === 'archive' ? 'ARCHIVE' : 'STANDARD',
  }
}

function describeCounts({ counts }: Preview): wire.LifecyclePolicyPreviewSummary {
  return {
    expiringImageTotalCount: counts.expire,
    ...(counts.transition > 0 && {
      transitioningImageTotalCounts: [{ targetStorageClass: 'ARCHIVE', imageTotalCount: counts.transition }],
    }),
  }
}
