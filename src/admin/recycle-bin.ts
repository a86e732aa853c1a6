import type { Handlers } from '#aws/operation.ts'
import type { LifecyclePolicies } from '#lifecycle/policies.ts'
import { repositoryArn } from '#names/arn.ts'
import { parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { DeletedImages, DeletedPosition } from '#registry/recycle-bin/images.ts'
import { refuseDeleted } from '#registry/recycle-bin/refusals.ts'
import type { DeletedRepositories } from '#registry/recycle-bin/repositories.ts'
import type { DeletedImage } from '#registry/recycle-bin/rows.ts'
import { inRepository } from '#registry/repository.ts'
import type { RetentionSettings, Retentions } from '#registry/retention-settings.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'

export interface RecycleBinParts {
  readonly deletedImages: DeletedImages
  readonly lifecyclePolicies: LifecyclePolicies
  readonly deletedRepositories: DeletedRepositories
  readonly retentions: Retentions
}

/** What was deleted: told, put back, or taken away for good. */
export function recycleBinOperations({
  deletedImages,
  lifecyclePolicies,
  deletedRepositories,
  retentions,
}: RecycleBinParts) {
  return {
    ListDeletedImages: {
      resource: namedRepository,
      handle: async ({ input, registry }) => {
        const { repositoryName: name } = input
        const page = openPage(input, ['ListDeletedImages', registry, name], 2)
        const after = readPosition(page.after)
        const { items, next } = await deletedImages.list({ registry, name }, { limit: page.limit, after })
        return {
          ...{ registryId: registry.account, repositoryName: name },
          images: items.map(describeImage),
          nextToken: page.nextToken(next && [String(next.deletedAt), next.digest]),
        }
      },
    },

    RestoreDeletedImage: {
      resource: namedRepository,
      also: () => ['ecr:PutImage'],
      handle: async ({ input, registry, principal }) => {
        const { repositoryName: name, imageDigest } = input
        const key = { registry, name }
        const restored = await deletedImages.restore(key, parseDigest(imageDigest), principal.arn)
        return {
          ...{ registryId: registry.account, repositoryName: name },
          ...{ imageDigests: restored.digests, imageTags: restored.tags, takenTags: restored.taken },
          remainingReferrerDigests: restored.left,
          lifecyclePolicyInForce: await lifecyclePolicies.has(key),
        }
      },
    },

    PurgeDeletedImages: {
      resource: namedRepository,
      also: () => ['ecr:BatchDeleteImage'],
      handle: async ({ input, registry }) => {
        const { repositoryName: name, imageDigest, all = false } = input
        // A script whose digest came out empty must not purge everything.
        if (all === (imageDigest !== undefined)) throw refuse('PurgeAmbiguous', {})
        const key = { registry, name }
        const { count, left } =
          imageDigest === undefined
            ? { count: await deletedImages.purgeAll(key), left: [] }
            : { count: 1, left: await deletedImages.purge(key, parseDigest(imageDigest)) }
        return {
          ...{ registryId: registry.account, repositoryName: name },
          ...{ imageCount: count, remainingImageDigests: left },
        }
      },
    },

    ListDeletedRepositories: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const page = openPage(input, ['ListDeletedRepositories', registry], 1)
        const after = page.after && readNumber(page.after[0])
        const { items, next } = await deletedRepositories.list(registry, { limit: page.limit, after })
        return {
          registryId: registry.account,
          repositories: items.map(({ id, name, deletedAt, deletedBy, purgeAt }) => ({
            ...{ deletedRepositoryId: String(id), repositoryName: name, deletedBy },
            ...{ deletedAt: new Date(deletedAt), purgeAt: new Date(purgeAt) },
          })),
          nextToken: page.nextToken(next === undefined ? undefined : [String(next)]),
        }
      },
    },

    RestoreDeletedRepository: {
      resource: async (request) => {
        const arn = namedRepository(request)
        const deleted = await deletedRepositories.find(...wantedRepository(request))
        return deleted === undefined ? arn : { arn, deleted }
      },
      // Not `ecr:PutImage`: nothing is put into it, and whoever froze it by its own policy would have it lost, as nobody can change that there.
      also: () => ['ecr:CreateRepository'],
      handle: async (request) => {
        const { registry, resources } = request
        const [key, wanted] = wantedRepository(request)
        // The one whose policy was asked, though another one of its name may have been deleted meanwhile.
        const [asked] = resources
        if (typeof asked !== 'object') {
          throw refuseDeleted('DeletedRepositoryNotFound', { ...inRepository(key), id: wanted })
        }
        const { id, name } = await deletedRepositories.restore(key, asked.deleted)
        return { registryId: registry.account, repositoryName: name, deletedRepositoryId: String(id) }
      },
    },

    GetRetentionSettings: {
      resource: () => '*',
      handle: async ({ registry }) => describeSettings(registry, await retentions.get(registry)),
    },

    PutRetentionSettings: {
      resource: () => '*',
      handle: async ({ input: { recycleBinDays, keepInUse }, registry }) =>
        describeSettings(registry, await retentions.change(registry, { recycleBinDays, keepInUse })),
    },
  } satisfies Handlers<
    Operations,
    | 'ListDeletedImages'
    | 'RestoreDeletedImage'
    | 'PurgeDeletedImages'
    | 'ListDeletedRepositories'
    | 'RestoreDeletedRepository'
    | 'GetRetentionSettings'
    | 'PutRetentionSettings'
  >
}

interface Named<Input> {
  readonly input: Input
  readonly registry: Registry
}

function namedRepository({ input, registry }: Named<{ readonly repositoryName: RepositoryName }>): string {
  return repositoryArn(registry, input.repositoryName)
}

function wantedRepository({ input, registry }: Named<wire.RestoreDeletedRepositoryRequest>) {
  const { repositoryName: name, deletedRepositoryId } = input
  const wanted = deletedRepositoryId === undefined ? undefined : Number(deletedRepositoryId)
  return [{ registry, name }, wanted] as const
}

/** @throws Refusal `PageTokenInvalid` */
function readPosition(key: readonly string[] | undefined): DeletedPosition | undefined {
  if (key === undefined) return undefined
  const [deletedAt, digest = ''] = key
  return { deletedAt: readNumber(deletedAt), digest }
}

/** Of a key that this surface wrote: a token is not signed. @throws Refusal `PageTokenInvalid` */
function readNumber(text = ''): number {
  if (!/^\d{1,15}$/.test(text)) throw refuse('PageTokenInvalid', {})
  return Number(text)
}

const causes = { delete: 'DELETE', lifecycle: 'LIFECYCLE', subject: 'SUBJECT' } as const satisfies Record<
  DeletedImage['cause'],
  wire.DeletionCause
>

function describeImage(image: DeletedImage): wire.DeletedImage {
  return {
    imageDigest: image.digest,
    imageTags: image.tags,
    imageSizeInBytes: image.sizeBytes,
    imageManifestMediaType: image.mediaType,
    artifactMediaType: image.artifactType,
    subjectDigest: image.subject,
    imagePushedAt: new Date(image.pushedAt),
    deletedAt: new Date(image.deletedAt),
    deletedBy: image.deletedBy === '' ? undefined : image.deletedBy,
    cause: causes[image.cause],
    purgeAt: new Date(image.purgeAt),
  }
}

function describeSettings({ account }: Registry, settings: RetentionSettings): wire.GetRetentionSettingsResponse {
  return { registryId: account, recycleBinDays: settings.recycleBinDays, keepInUse: settings.keepInUse }
}
