import type { Handlers } from '#aws/operation.ts'
import type { PullTimeExclusions } from '#registry/pull-time-exclusions.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'

/** Principals whose pulls do not count as an image's last one. */
export interface PullTimeExclusionParts {
  readonly pullTimeExclusions: PullTimeExclusions
}

export function pullTimeExclusionOperations({ pullTimeExclusions }: PullTimeExclusionParts) {
  return {
    RegisterPullTimeUpdateExclusion: {
      resource: () => '*',
      handle: async ({ input: { principalArn }, registry }) => {
        const { createdAt } = await pullTimeExclusions.register(registry, principalArn)
        return { principalArn, createdAt: new Date(createdAt) }
      },
    },

    DeregisterPullTimeUpdateExclusion: {
      resource: () => '*',
      handle: async ({ input: { principalArn }, registry }) => {
        await pullTimeExclusions.deregister(registry, principalArn)
        return { principalArn }
      },
    },

    ListPullTimeUpdateExclusions: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const page = openPage(input, ['ListPullTimeUpdateExclusions', registry], [isText])
        const { items, next } = await pullTimeExclusions.list(registry, { limit: page.limit, after: page.after?.[0] })
        return { pullTimeUpdateExclusions: items, nextToken: page.nextToken(next === undefined ? undefined : [next]) }
      },
    },
  } satisfies Handlers<
    Operations,
    'RegisterPullTimeUpdateExclusion' | 'DeregisterPullTimeUpdateExclusion' | 'ListPullTimeUpdateExclusions'
  >
}

/** What PostgreSQL can compare an ARN with; a place between two need not be one itself. */
function isText(text: string): boolean {
  return !text.includes('\0')
}
