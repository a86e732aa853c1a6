import type { Handlers } from '#aws/operation.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Endpoints } from '#names/endpoints.ts'
import { isRepositoryName } from '#names/repository-name.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { Repository } from '#registry/repository.ts'
import { requestTagConditions } from './conditions.ts'
import type { Operations } from './model.ts'
import { openPage, refusePaging } from './paging.ts'
import { repositoryKey, repositoryResource } from './request.ts'
import { describeRepository, describeTagMutability, filtersOf, resourceTagsOf } from './shapes.ts'

/** Repositories: creating, describing and deleting them, and whether their image tags may move. */
export interface RepositoryParts {
  readonly repositories: Repositories
  readonly endpoints: Endpoints
}

export function repositoryOperations({ repositories, endpoints }: RepositoryParts) {
  return {
    CreateRepository: {
      resource: repositoryResource,
      also: ({ tags = [] }) => (tags.length > 0 ? ['ecr:TagResource'] : []),
      conditions: ({ input: { tags = [] } }) => requestTagConditions(tags),
      handle: async (request) => {
        const { input } = request
        const { imageTagMutability: mode = 'MUTABLE', encryptionConfiguration: encryption } = input
        const repository = await repositories.create(repositoryKey(request), {
          tagMutability: { mode, exclusions: filtersOf(input.imageTagMutabilityExclusionFilters) },
          scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
          ...(encryption && { encryption: { type: encryption.encryptionType, kmsKey: encryption.kmsKey } }),
          resourceTags: resourceTagsOf(input.tags ?? []),
        })
        return { repository: describeRepository(repository, endpoints, request.origin) }
      },
    },

    DescribeRepositories: {
      resource: ({ input, registry }) =>
        input.repositoryNames?.map((name) => repositoryArn(registry, name)) ?? repositoryArn(registry, '*'),
      handle: async ({ input, registry, origin }) => {
        const describe = (repository: Repository) => describeRepository(repository, endpoints, origin)
        if (input.repositoryNames !== undefined) {
          refusePaging(input, 'repositoryNames')
          const named = await repositories.getAll(registry, [...new Set(input.repositoryNames)])
          return { repositories: named.map(describe) }
        }
        const page = openPage(input, ['DescribeRepositories', registry], [isRepositoryName])
        const { items, next } = await repositories.list(registry, { limit: page.limit, after: page.after?.[0] })
        return {
          repositories: items.map(describe),
          nextToken: page.nextToken(next === undefined ? undefined : [next]),
        }
      },
    },

    DeleteRepository: {
      resource: repositoryResource,
      handle: async (request) => {
        const { force = false } = request.input
        const repository = await repositories.delete(repositoryKey(request), { force, by: request.principal.arn })
        return { repository: describeRepository(repository, endpoints, request.origin) }
      },
    },

    PutImageTagMutability: {
      resource: repositoryResource,
      handle: async (request) => {
        const { repositoryName, imageTagMutability, imageTagMutabilityExclusionFilters } = request.input
        const tagMutability = await repositories.putTagMutability(
          repositoryKey(request),
          imageTagMutability,
          filtersOf(imageTagMutabilityExclusionFilters),
        )
        return { registryId: request.registry.account, repositoryName, ...describeTagMutability(tagMutability) }
      },
    },
  } satisfies Handlers<
    Operations,
    'CreateRepository' | 'DescribeRepositories' | 'DeleteRepository' | 'PutImageTagMutability'
  >
}
