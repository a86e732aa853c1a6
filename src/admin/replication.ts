import type { Handlers } from '#aws/operation.ts'
import type { Clock } from '#lib/clock.ts'
import type { NotThere, NotThereKey, NotThereLists } from '#replication/status/not-there.ts'
import type { ReplicationRetry } from '#replication/status/retry.ts'
import type { ReplicationStatuses, RouteStatus } from '#replication/status/status.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'
import { describeRegistry, readDestination } from './replication-destinations.ts'

export interface ReplicationParts {
  readonly replicationStatuses: ReplicationStatuses
  readonly notThereLists: NotThereLists
  readonly replicationRetry: ReplicationRetry
  readonly clock: Clock
}

/** How replication goes, beyond what ECR says of a single image. */
export function replicationOperations({
  replicationStatuses,
  notThereLists,
  replicationRetry,
  clock,
}: ReplicationParts) {
  return {
    DescribeReplication: {
      resource: () => '*',
      handle: async ({ registry }) => {
        const statuses = await replicationStatuses.describe(registry)
        const now = clock()
        return { registryId: registry.account, destinations: statuses.map((status) => describeStatus(status, now)) }
      },
    },

    ListReplicationImages: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const { status: state } = input
        const destination = input.destination && readDestination(input.destination)
        const page = openPage(input, ['ListReplicationImages', registry, destination, state], keyLength)
        const after = page.after && readKey(page.after)
        const { items, next } = await notThereLists.list(registry, { destination, state }, { limit: page.limit, after })
        return {
          ...{ registryId: registry.account, images: items.map(describeNotThere) },
          nextToken: page.nextToken(next?.map(String)),
        }
      },
    },

    RetryReplication: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const imageCount = await replicationRetry.retry(
          registry,
          input.destination && readDestination(input.destination),
        )
        return { registryId: registry.account, imageCount }
      },
    },
  } satisfies Handlers<Operations, 'DescribeReplication' | 'ListReplicationImages' | 'RetryReplication'>
}

const keyLength = 6

/** @throws Refusal `PageTokenInvalid` */
function readKey(texts: readonly string[]): NotThereKey {
  const [account = '', region = '', state = '', ...numbers] = texts
  const [priority = -1, pushedAt = -1, id = -1] = numbers.map(Number)
  if (![priority, pushedAt, id].every(Number.isSafeInteger)) throw refuse('PageTokenInvalid', {})
  return [account, region, state, priority, pushedAt, id]
}

function describeStatus({ destination, unreachable, ...status }: RouteStatus, now: number): wire.ReplicationStatus {
  const { oldestPushAt, succeededAt } = status
  return {
    ...{ destination: describeRegistry(destination), inRules: status.isInRules },
    ...{ waitingCount: status.waiting, pausedCount: status.paused, failedCount: status.failed },
    failures: status.failures.map(({ code, reason, images }) => ({ failureCode: code, reason, imageCount: images })),
    secondsBehind: oldestPushAt === undefined ? 0 : Math.max(0, Math.floor((now - oldestPushAt) / 1_000)),
    oldestPushAt: dateOf(oldestPushAt),
    ...{ sentImageCount: status.sentImages, sentSizeInBytes: status.sentBytes, lastSuccessAt: dateOf(succeededAt) },
    unreachable: unreachable && {
      since: new Date(unreachable.since),
      nextAttemptAt: new Date(unreachable.nextAttemptAt),
      reason: unreachable.reason,
    },
  }
}

function describeNotThere({ destination, failure, ...image }: NotThere): wire.ReplicationImage {
  return {
    ...{ destination: describeRegistry(destination), repositoryName: image.repository },
    ...{ imageDigest: image.digest, imageTags: image.tags, status: image.state, cause: causes[image.cause] },
    ...{ pushedAt: new Date(image.pushedAt), attempts: image.attempts, nextAttemptAt: dateOf(image.nextAttemptAt) },
    ...{ failureCode: failure?.code, reason: failure?.reason },
  }
}

const causes = { push: 'PUSH', restore: 'RESTORE', sync: 'SYNC', repair: 'REPAIR' } as const satisfies Record<
  NotThere['cause'],
  wire.ReplicationCause
>

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at)
}
