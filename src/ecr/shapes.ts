import { repositoryArn } from '#names/arn.ts'
import type { ClientOrigin, Endpoints } from '#names/endpoints.ts'
import { shownKmsKey } from '#registry/encryption.ts'
import type { ImageDetail, ImageId } from '#registry/image.ts'
import type { Repository, RepositoryKey } from '#registry/repository.ts'
import type { ResourceTag, ResourceTags } from '#registry/resource-tags.ts'
import type { TagMutability } from '#registry/tag-mutability.ts'
import type * as wire from './model.ts'

/** The domain's things in the shapes of the API model. What has no value is left out, as ECR leaves it out. */

export function describeRepository(
  repository: Repository,
  endpoints: Endpoints,
  origin: ClientOrigin,
): wire.Repository {
  const { registry, name, createdAt, tagMutability, scanOnPush, encryption } = repository
  return {
    repositoryArn: repositoryArn(registry, name),
    registryId: registry.account,
    repositoryName: name,
    repositoryUri: endpoints.repositoryUri(registry, name, origin),
    createdAt: new Date(createdAt),
    ...describeTagMutability(tagMutability),
    imageScanningConfiguration: { scanOnPush },
    encryptionConfiguration: {
      encryptionType: encryption.type,
      kmsKey: encryption.kmsKey && shownKmsKey(registry, encryption.kmsKey),
    },
  }
}

export function describeTagMutability({
  mode,
  exclusions,
}: TagMutability): Pick<wire.Repository, 'imageTagMutability' | 'imageTagMutabilityExclusionFilters'> {
  const filters = exclusions.map((filter) => ({ filterType: 'WILDCARD', filter }) as const)
  return {
    imageTagMutability: mode,
    ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters }),
  }
}

/** The model knows one type of filter. */
export function filtersOf(
  filters: readonly wire.ImageTagMutabilityExclusionFilter[] | undefined,
): string[] | undefined {
  return filters?.map(({ filter }) => filter)
}

export function describeImageId({ digest, tag }: ImageId): wire.ImageIdentifier {
  return { imageDigest: digest, imageTag: tag }
}

export function describeImage({ registry, name }: RepositoryKey, image: ImageDetail): wire.ImageDetail {
  return {
    registryId: registry.account,
    repositoryName: name,
    imageDigest: image.digest,
    imageTags: image.tags.length > 0 ? image.tags : undefined,
    imageSizeInBytes: image.sizeBytes,
    imagePushedAt: new Date(image.pushedAt),
    imageManifestMediaType: image.mediaType,
    artifactMediaType: image.artifactType,
    lastRecordedPullTime: image.pulledAt === undefined ? undefined : new Date(image.pulledAt),
    subjectManifestDigest: image.subject,
    imageStatus: image.status,
    lastArchivedAt: image.archivedAt === undefined ? undefined : new Date(image.archivedAt),
    lastActivatedAt: image.activatedAt === undefined ? undefined : new Date(image.activatedAt),
  }
}

export function describeResourceTags(tags: ResourceTags): wire.Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

export function resourceTagsOf(tags: readonly wire.Tag[]): ResourceTag[] {
  return tags.map(({ Key, Value }) => ({ key: Key, value: Value }))
}
