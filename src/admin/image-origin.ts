import type { Handlers } from '#aws/operation.ts'
import { repositoryArn } from '#names/arn.ts'
import { parseDigest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import type { ImageOrigin, ImageOrigins } from '#registry/image-origin.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { refuse } from './refusals.ts'

export interface ImageOriginParts {
  readonly imageOrigins: ImageOrigins
}

/** Where an image came from. */
export function imageOriginOperations({ imageOrigins }: ImageOriginParts) {
  return {
    DescribeImageOrigin: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      handle: async ({ input, registry }) => {
        const { repositoryName: name, imageDigest, imageTag } = input
        if (imageDigest === undefined && imageTag === undefined) throw refuse('ImageUnnamed', {})
        const query = {
          digest: imageDigest === undefined ? undefined : parseDigest(imageDigest),
          tag: imageTag === undefined ? undefined : parseTag(imageTag),
        }
        const origin = await imageOrigins.describe({ registry, name }, query)
        return {
          ...{ registryId: registry.account, repositoryName: name },
          ...{ imageDigest: origin.digest, imageTags: origin.tags, ...describeOrigin(origin) },
        }
      },
    },
  } satisfies Handlers<Operations, 'DescribeImageOrigin'>
}

type OriginMembers = Omit<
  wire.DescribeImageOriginResponse,
  'registryId' | 'repositoryName' | 'imageDigest' | 'imageTags'
>

function describeOrigin(origin: ImageOrigin): OriginMembers {
  switch (origin.by) {
    case 'push':
      return { origin: 'PUSHED', pushedAt: new Date(origin.pushedAt) }
    case 'replication': {
      const { account: sourceRegistryId, region: sourceRegion } = origin.source
      const times = { pushedAt: new Date(origin.pushedAt), replicatedAt: new Date(origin.arrivedAt) }
      return { origin: 'REPLICATED', sourceRegistryId, sourceRegion, ...times }
    }
    case 'cache':
      return {
        ...{ origin: 'CACHED', upstreamRegistryUrl: origin.upstreamUrl, upstreamRepositoryName: origin.upstreamName },
        fetchedAt: new Date(origin.fetchedAt),
        lastCheckedAt: origin.checkedAt === undefined ? undefined : new Date(origin.checkedAt),
      }
  }
}
