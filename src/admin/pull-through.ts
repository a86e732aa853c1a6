import type { Handlers } from '#aws/operation.ts'
import { cacheRuleArn, repositoryArn } from '#names/arn.ts'
import { isRepositoryPrefix, parseRepositoryPrefix } from '#names/repository-prefix.ts'
import { parseTag } from '#names/tag.ts'
import type { CacheRules } from '#upstream/cache-rules.ts'
import type { CacheStatus, CacheStatuses } from '#upstream/cache-status.ts'
import type { CacheRefresh } from '#upstream/refresh.ts'
import type { RuleSettings } from '#upstream/rule-settings.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'

export interface PullThroughParts {
  readonly cacheRules: CacheRules
  readonly cacheStatuses: CacheStatuses
  readonly cacheRefresh: CacheRefresh
}

/** What the pull through cache holds and how it is kept, beyond the rules that ECR has. */
export function pullThroughOperations({ cacheRules, cacheStatuses, cacheRefresh }: PullThroughParts) {
  return {
    DescribePullThroughCache: {
      resource: ({ input: { ecrRepositoryPrefix }, registry }) =>
        ecrRepositoryPrefix === undefined ? '*' : cacheRuleArn(registry, parseRepositoryPrefix(ecrRepositoryPrefix)),
      handle: async ({ input, registry }) => {
        const { account: registryId } = registry
        if (input.ecrRepositoryPrefix !== undefined) {
          const rule = await cacheRules.get(registry, parseRepositoryPrefix(input.ecrRepositoryPrefix))
          return { registryId, caches: (await cacheStatuses.describe([rule])).map(describeCache) }
        }
        const page = openPage(input, ['DescribePullThroughCache', registry], 1)
        const [after] = page.after ?? []
        if (after !== undefined && !isRepositoryPrefix(after)) throw refuse('PageTokenInvalid', {})
        const { items, next } = await cacheRules.list(registry, { limit: page.limit, after })
        return {
          ...{ registryId, caches: (await cacheStatuses.describe(items)).map(describeCache) },
          nextToken: page.nextToken(next === undefined ? undefined : [next]),
        }
      },
    },

    PutPullThroughCacheSettings: {
      resource: ({ input, registry }) => cacheRuleArn(registry, parseRepositoryPrefix(input.ecrRepositoryPrefix)),
      handle: async ({ input, registry }) => {
        const prefix = parseRepositoryPrefix(input.ecrRepositoryPrefix)
        const { settings } = await cacheRules.changeSettings(registry, prefix, readSettings(input))
        return { registryId: registry.account, ecrRepositoryPrefix: prefix, ...describeSettings(settings) }
      },
    },

    RefreshPullThroughCache: {
      resource: ({ input: { repositoryName, ecrRepositoryPrefix }, registry }) => {
        if (repositoryName !== undefined) return repositoryArn(registry, repositoryName)
        if (ecrRepositoryPrefix === undefined) return '*'
        return cacheRuleArn(registry, parseRepositoryPrefix(ecrRepositoryPrefix))
      },
      handle: async ({ input, registry, principal: { arn } }) => {
        const { repositoryName: name, imageTag, ecrRepositoryPrefix } = input
        const { account: registryId } = registry
        if (name !== undefined && ecrRepositoryPrefix === undefined) {
          const tag = imageTag === undefined ? undefined : parseTag(imageTag)
          return { registryId, tagCount: await cacheRefresh.refresh({ registry, name }, tag, arn) }
        }
        if (name !== undefined || ecrRepositoryPrefix === undefined || imageTag !== undefined) {
          throw refuse('RefreshAmbiguous', {})
        }
        const prefix = parseRepositoryPrefix(ecrRepositoryPrefix)
        return { registryId, tagCount: await cacheRefresh.refreshRule({ registry, prefix }, arn) }
      },
    },
  } satisfies Handlers<
    Operations,
    'DescribePullThroughCache' | 'PutPullThroughCacheSettings' | 'RefreshPullThroughCache'
  >
}

/** In place of an age: the upstream is never asked again about a tag. */
const never = -1
/** In place of a size. */
const unlimited = 0

function readSettings({ maxAgeSeconds, maxSizeInBytes }: wire.PutPullThroughCacheSettingsRequest) {
  return {
    ...(maxAgeSeconds !== undefined && {
      maxAgeMs: maxAgeSeconds === never ? ('never' as const) : maxAgeSeconds * 1_000,
    }),
    ...(maxSizeInBytes !== undefined && {
      maxBytes: maxSizeInBytes === unlimited ? ('unlimited' as const) : maxSizeInBytes,
    }),
  }
}

function describeSettings({ maxAgeMs, maxBytes }: RuleSettings) {
  return {
    maxAgeSeconds: maxAgeMs === 'never' ? never : Math.round(maxAgeMs / 1_000),
    maxSizeInBytes: maxBytes === 'unlimited' ? unlimited : maxBytes,
  }
}

function describeCache({ rule, ...status }: CacheStatus): wire.PullThroughCache {
  const { failure, limit } = status
  return {
    ...{ ecrRepositoryPrefix: rule.prefix, upstreamRegistryUrl: rule.upstreamUrl, ...describeSettings(rule.settings) },
    ...{ repositoryCount: status.repositories, imageCount: status.images, sizeInBytes: status.bytes },
    ...{ imports: status.imports, lastSuccessAt: dateOf(status.succeededAt) },
    lastFailure: failure && { at: new Date(failure.at), code: failure.code, reason: failure.reason },
    rateLimit: limit && {
      ...{ readAt: new Date(limit.at), remaining: limit.remaining },
      ...{ requests: limit.requests, windowSeconds: limit.windowSeconds },
    },
  }
}

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at)
}
