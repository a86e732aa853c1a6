import type { Handlers } from '#aws/operation.ts'
import { isRepositoryPrefix, parseRepositoryPrefix } from '#names/repository-prefix.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { CacheRule, CacheRules } from '#upstream/cache-rules.ts'
import type { Connect } from '#upstream/connect.ts'
import type { Operations } from './model.ts'
import { openPage, refusePaging } from './paging.ts'
import { requirePassRole } from './request.ts'
import { upstreamText } from './upstream-failures.ts'

/** Rules of the pull through cache. */
export interface PullThroughParts {
  readonly cacheRules: CacheRules
  readonly connect: Connect
}

/** A client of the control plane gives up after a minute. */
const longestCheckMs = 20_000

export function pullThroughOperations({ cacheRules, connect }: PullThroughParts) {
  /** Why the upstream does not let this rule in. */
  async function findFailure(rule: CacheRule, signal: AbortSignal): Promise<string | undefined> {
    try {
      const remote = await connect(rule)
      await remote.check({ signal: AbortSignal.any([signal, AbortSignal.timeout(longestCheckMs)]) })
      return undefined
    } catch (error) {
      if (error instanceof RemoteFailure) return error.message
      const text = upstreamText(error)
      if (text === undefined) throw error
      return text
    }
  }

  return {
    CreatePullThroughCacheRule: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        await requirePassRole(request, input.customRoleArn)
        const rule = await cacheRules.create(registry, {
          prefix: parseRepositoryPrefix(input.ecrRepositoryPrefix),
          upstreamUrl: input.upstreamRegistryUrl,
          upstream: input.upstreamRegistry,
          upstreamPrefix:
            input.upstreamRepositoryPrefix === undefined
              ? undefined
              : parseRepositoryPrefix(input.upstreamRepositoryPrefix),
          credentialArn: input.credentialArn,
          customRoleArn: input.customRoleArn,
        })
        return { ...describeRule(rule), createdAt: new Date(rule.createdAt), upstreamRegistry: rule.upstream }
      },
    },

    UpdatePullThroughCacheRule: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        const { credentialArn, customRoleArn } = input
        await requirePassRole(request, customRoleArn)
        const prefix = parseRepositoryPrefix(input.ecrRepositoryPrefix)
        const rule = await cacheRules.update(registry, prefix, { credentialArn, customRoleArn })
        const { upstreamRegistryUrl, ...shown } = describeRule(rule)
        return { ...shown, updatedAt: new Date(rule.updatedAt) }
      },
    },

    DeletePullThroughCacheRule: {
      resource: () => '*',
      handle: async (request) => {
        const rule = await cacheRules.delete(request.registry, parseRepositoryPrefix(request.input.ecrRepositoryPrefix))
        return { ...describeRule(rule), createdAt: new Date(rule.createdAt) }
      },
    },

    DescribePullThroughCacheRules: {
      resource: () => '*',
      handle: async (request) => {
        const { input, registry } = request
        if (input.ecrRepositoryPrefixes !== undefined) {
          refusePaging(input, 'ecrRepositoryPrefixes')
          const prefixes = [...new Set(input.ecrRepositoryPrefixes.map(parseRepositoryPrefix))]
          return { pullThroughCacheRules: (await cacheRules.getAll(registry, prefixes)).map(describeWhole) }
        }
        const page = openPage(input, ['DescribePullThroughCacheRules', registry], [isRepositoryPrefix])
        const { items, next } = await cacheRules.list(registry, { limit: page.limit, after: page.after?.[0] })
        return {
          pullThroughCacheRules: items.map(describeWhole),
          nextToken: page.nextToken(next === undefined ? undefined : [next]),
        }
      },
    },

    ValidatePullThroughCacheRule: {
      resource: () => '*',
      handle: async (request) => {
        const prefix = parseRepositoryPrefix(request.input.ecrRepositoryPrefix)
        const rule = await cacheRules.get(request.registry, prefix)
        const failure = await findFailure(rule, request.signal)
        return { ...describeRule(rule), isValid: failure === undefined, ...(failure !== undefined && { failure }) }
      },
    },
  } satisfies Handlers<
    Operations,
    | 'CreatePullThroughCacheRule'
    | 'UpdatePullThroughCacheRule'
    | 'DeletePullThroughCacheRule'
    | 'DescribePullThroughCacheRules'
    | 'ValidatePullThroughCacheRule'
  >
}

/** What every operation answers. */
function describeRule(rule: CacheRule) {
  return {
    ecrRepositoryPrefix: rule.prefix,
    registryId: rule.registry.account,
    upstreamRegistryUrl: rule.upstreamUrl,
    upstreamRepositoryPrefix: rule.upstreamPrefix,
    credentialArn: rule.credentialArn,
    customRoleArn: rule.customRoleArn,
  }
}

function describeWhole(rule: CacheRule) {
  return {
    ...describeRule(rule),
    upstreamRegistry: rule.upstream,
    createdAt: new Date(rule.createdAt),
    updatedAt: new Date(rule.updatedAt),
  }
}
