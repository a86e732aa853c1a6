import type { Authorizer } from '#iam/authorize.ts'
import type { ServiceRoles } from '#iam/service-roles.ts'
import type { Claims } from '#jobs/claims.ts'
import { enqueue } from '#jobs/queue.ts'
import type { Worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { ImagePush } from '#registry/image-push.ts'
import type { Images } from '#registry/images.ts'
import type { IncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Referrers } from '#registry/referrers.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure, type Remotes } from '#remote/registry.ts'
import type { FindSecretValue } from '#secrets/upstream-credentials.ts'
import { createArrivals } from './arrivals.ts'
import { createAsking } from './asking.ts'
import { createBudgets } from './budget.ts'
import { type CacheAction, type CacheActionFailure, failureOf, type RecordAction } from './cache-actions.ts'
import { createFindCachePrincipal } from './cache-principal.ts'
import { createLeadsBackTo } from './cache-ring.ts'
import type { CacheRule } from './cache-rules.ts'
import { createCachedBlobs } from './cached-blobs.ts'
import { type CachePull, createCachedImages } from './cached-images.ts'
import { createCachedReferrers } from './cached-referrers.ts'
import { type Connect, createConnect } from './connect.ts'
import { createImageImport } from './image-import.ts'
import { createImporter, type Imported } from './importer.ts'
import { createConnectLocal } from './local-registry.ts'
import { createPendingManifests } from './pending-manifests.ts'
import { createRecentFailures } from './recent-failures.ts'
import { type CacheRefresh, createCacheRefresh } from './refresh.ts'
import type { RememberedRules } from './remembered-rules.ts'
import type { RuleStatuses } from './rule-status.ts'
import { checkTag, createTagChecker } from './tag-check.ts'
import { createTagStates } from './tag-state.ts'
import type { UpstreamHosts } from './upstreams.ts'
import type { RequestResult } from './watched-remote.ts'

/** The pull-through cache: what reads a registry, with the registries of its rules behind it. */
export interface UpstreamCache {
  readonly images: Images
  readonly linkedBlobs: LinkedBlobs
  readonly referrers: Referrers
  readonly connect: Connect
  readonly refresh: CacheRefresh
  readonly workers: readonly Worker[]
}

export interface UpstreamCacheParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly claims: Claims
  readonly rules: RememberedRules
  readonly remotes: Remotes
  readonly hosts: UpstreamHosts
  readonly findSecretValue: FindSecretValue
  readonly statuses: RuleStatuses
  readonly repositories: Repositories
  /** Decides what the principal of a rule may read in another registry of this deployment. */
  readonly authorizer: Authorizer
  readonly serviceRoles: ServiceRoles
  /** What is here. */
  readonly images: Images
  readonly linkedBlobs: LinkedBlobs
  readonly referrers: Referrers
  readonly imagePush: ImagePush
  readonly incoming: IncomingBlobs
  /** Hears of each image that came, and of each failure. */
  readonly onAction: (action: CacheAction) => void
  readonly recordAction: RecordAction
  /** Hears of a failure that no transaction goes with: the upstream did not answer a pull. `onAction` hears of it, too. */
  readonly onFailedRequest: (action: CacheAction) => void
  readonly onPull: (result: CachePull) => void
  readonly onRequest: (rule: CacheRule, result: RequestResult) => void
}

export function createUpstreamCache(parts: UpstreamCacheParts): UpstreamCache {
  const {
    metadata,
    clock,
    claims,
    rules,
    remotes,
    hosts,
    findSecretValue,
    repositories,
    incoming,
    statuses,
    onAction,
    recordAction,
  } = parts
  const budgets = createBudgets({ clock, reader: metadata.reader })
  const stored = { images: parts.images, linkedBlobs: parts.linkedBlobs, referrers: parts.referrers }
  const connectLocal = createConnectLocal({
    ...{ stored, authorizer: parts.authorizer, clock },
    // A cache may be the upstream of another one. Nothing reads before this function has returned.
    cached: {
      images: { pull: (...args) => reads.images.pull(...args), head: (...args) => reads.images.head(...args) },
      linkedBlobs: { open: (...args) => reads.linkedBlobs.open(...args) },
      referrers: { list: (...args) => reads.referrers.list(...args) },
    },
    leadsBackTo: createLeadsBackTo({ rules, ownRegistryAt: hosts.ownRegistryAt }),
    findPrincipal: createFindCachePrincipal({ serviceRoles: parts.serviceRoles, clock }),
  })
  const connect = createConnect({
    ...{ remotes, hosts, findSecretValue, budgets, connectLocal },
    onRequest(rule, result) {
      parts.onRequest(rule, result)
      if (result instanceof RemoteFailure) statuses.failed(rule, { code: result.reason, reason: result.message })
      else statuses.succeeded(rule)
    },
    onLimit(rule, { remaining, limit, windowSeconds }) {
      if (remaining !== undefined) statuses.limited(rule, { remaining, requests: limit, windowSeconds })
    },
  })
  const tagStates = createTagStates({ metadata })
  const pending = createPendingManifests({ metadata })
  const failures = createRecentFailures({ clock })
  const arrivals = createArrivals({ metadata, clock, repositories, recordAction, imagePush: parts.imagePush })
  const hasImage = metadata.prepare<{ account: string; region: string; name: string; digest: string }, object>(
    (db, p) =>
      db
        .selectFrom('repository')
        .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
        .select('manifest.digest')
        .where('repository.account', '=', p('account'))
        .where('repository.region', '=', p('region'))
        .where('repository.name', '=', p('name'))
        .where('manifest.digest', '=', p('digest')),
  )
  const asking = createAsking({
    ...{ metadata, clock, connect, claims, arrivals, tagStates, pending, failures },
    hasImage: async ({ registry: { account, region }, name }, digest) =>
      (await hasImage({ account, region, name, digest })).length > 0,
    onFailure({ key, upstream: { rule }, tag, digest }, failure) {
      const action = { key, rule, tag, digest, failure: failureOf(failure), at: clock() }
      onAction(action)
      parts.onFailedRequest(action)
    },
  })
  const imageImport = createImageImport({ metadata, clock, connect, incoming, arrivals, budgets })
  const isThere = async ({ registry, name }: RepositoryKey) => (await repositories.findAll(registry, [name])).size > 0
  /** An image with several tags is several actions. */
  function actionsOf({ key, rule, digest, tags }: Imported, failure?: CacheActionFailure): CacheAction[] {
    const all = tags.length === 0 ? [undefined] : tags
    return all.map((tag) => ({ key, rule, digest, tag, failure, at: clock() }))
  }

  const reads = {
    images: createCachedImages({
      ...{
        images: stored.images,
        rules,
        tagStates,
        pending,
        asking,
        failures,
        clock,
        metadata,
        isThere,
        onPull: parts.onPull,
      },
    }),
    linkedBlobs: createCachedBlobs({ linkedBlobs: stored.linkedBlobs, incoming, rules, pending, connect }),
    referrers: createCachedReferrers({
      ...{ metadata, clock, referrers: stored.referrers, rules, connect, arrivals, imageImport, failures },
    }),
  }

  return {
    ...reads,
    connect,
    refresh: createCacheRefresh({
      metadata,
      checkSoon: (trx, check) => enqueue(trx, checkTag, check, { at: clock() }),
    }),
    workers: [
      createTagChecker({ metadata, rules, tagStates, asking, budgets, clock }),
      createImporter({
        ...{ metadata, clock, rules, imageImport },
        onImported: (imported) => actionsOf(imported).forEach(onAction),
        onFailure: (failed) => actionsOf(failed, failureOf(failed.failure)).forEach(onAction),
        async recordFailure(trx, failed) {
          for (const action of actionsOf(failed, failureOf(failed.failure))) await recordAction(trx, action)
        },
      }),
    ],
  }
}
