import type { Handlers } from '#aws/operation.ts'
import { parseAccountId } from '#names/account.ts'
import type { ImageLists } from '#registry/image-lists.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { ReplicationRule } from '#replication/configuration.ts'
import type { Replication } from '#replication/replication.ts'
import { readImageQuery } from './image-ids.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { repositoryKey, repositoryResource } from './request.ts'

/** Replication: its rules, which DescribeRegistry shows too, and what has become of an image. */
export interface ReplicationParts {
  readonly repositories: Repositories
  readonly imageLists: ImageLists
  readonly replication: Replication
}

export function replicationOperations({ repositories, imageLists, replication }: ReplicationParts) {
  return {
    PutReplicationConfiguration: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const rules = await replication.putRules(
          registry,
          input.replicationConfiguration.rules.map(({ destinations, repositoryFilters = [] }) => ({
            destinations: destinations.map(({ registryId, region }) => ({
              account: parseAccountId(registryId),
              region,
            })),
            filters: repositoryFilters.map(({ filter }) => filter),
          })),
        )
        return { replicationConfiguration: describeReplication(rules) }
      },
    },

    DescribeImageReplicationStatus: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const query = await readImageQuery(repositories, key, request.input.imageId)
        const { digest } = await imageLists.get(key, query)
        const statuses = await replication.getStatuses(key, digest)
        return {
          repositoryName: key.name,
          imageId: { imageDigest: digest, imageTag: query.tag },
          replicationStatuses: statuses.map(({ destination, status, failureCode }) => ({
            ...{ region: destination.region, registryId: destination.account, status, failureCode },
          })),
        }
      },
    },
  } satisfies Handlers<Operations, 'PutReplicationConfiguration' | 'DescribeImageReplicationStatus'>
}

export function describeReplication(rules: readonly ReplicationRule[]): wire.ReplicationConfiguration {
  return {
    rules: rules.map(({ destinations, filters }) => ({
      destinations: destinations.map(({ account, region }) => ({ region, registryId: account })),
      ...(filters.length > 0 && {
        repositoryFilters: filters.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const })),
      }),
    })),
  }
}
