import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Reference } from '#names/reference.ts'
import type { Tag } from '#names/tag.ts'
import type { ManifestHead, StaleCopy, StoredManifest } from '#registry/image.ts'
import type { Images } from '#registry/images.ts'
import type { Puller } from '#registry/puller.ts'
import { type ContentRefusals, refuse } from '#registry/refusals.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { Asking } from './asking.ts'
import { type CacheRule, ruleName } from './cache-rules.ts'
import { asRefusal } from './failure-refusals.ts'
import { createFreshHits } from './fresh-hits.ts'
import { localUntil, planOf, type TagPlan, type TagState } from './freshness.ts'
import type { PendingManifests } from './pending-manifests.ts'
import type { RecentFailures } from './recent-failures.ts'
import type { RememberedRules } from './remembered-rules.ts'
import type { TagStates } from './tag-state.ts'
import { findUpstream, type UpstreamRepository } from './upstream-name.ts'

/**
 * The images of a registry, with those of its upstreams: what a rule covers and is not here is fetched when it is pulled (ECR user
 * guide, "Sync an upstream registry with an Amazon ECR private registry"). What is here is served also where the upstream fails.
 */
export interface CachedImageParts {
  /** The images that are here. */
  readonly images: Images
  readonly rules: RememberedRules
  readonly tagStates: TagStates
  readonly pending: PendingManifests
  readonly asking: Asking
  readonly failures: RecentFailures
  readonly isThere: (key: RepositoryKey) => Promise<boolean>
  /** Hears of each pull that an upstream had to do with. */
  readonly onPull: (result: CachePull) => void
  readonly clock: Clock
  readonly metadata: Metadata
}

/** `hit`: served without a question to the upstream. `failed`: nothing could be served. */
export type CachePull = 'hit' | 'miss' | 'stale' | 'failed'

/** So long a pull of a cached tag waits for its upstream. After that the copy is served, and the check goes on. */
const patienceMs = 3_000

type Found = StoredManifest | ManifestHead

/** How `pull` and `head` differ. */
interface Reading<T extends Found> {
  local(): Promise<T>
  localByDigest(digest: Digest): Promise<T>
  pending(digest: Digest): Promise<T | undefined>
}

export function createCachedImages({
  images,
  rules,
  tagStates,
  pending,
  metadata,
  asking,
  failures,
  isThere,
  onPull,
  clock,
}: CachedImageParts): Images {
  const hits = createFreshHits({ metadata, clock })

  /** Nothing where the caller may not import; then the copy counts, or nothing. */
  async function mayImport(key: RepositoryKey, by: Puller): Promise<boolean> {
    if (!(await by.may('ecr:BatchImportUpstreamImage'))) return false
    return (await isThere(key)) || by.may('ecr:CreateRepository')
  }

  async function readTag<T extends Found>(
    upstream: UpstreamRepository,
    key: RepositoryKey,
    { tag, state }: { readonly tag: Tag; readonly state: TagState },
    by: Puller,
    reading: Reading<T>,
  ): Promise<T> {
    const plan = planOf(state, { now: clock(), settings: upstream.rule.settings })
    if (plan.do !== 'check') {
      onPull(plan.do === 'local' && plan.isStale ? 'stale' : 'hit')
      if (state.cached?.pending === 'failing') await asking.retry(key, state.cached.digest)
      return readAsPlanned(plan, state, reading)
    }
    if (!(await mayImport(key, by))) return readOtherwise(plan, state, reading, undefined)
    const { otherwise, known } = plan
    const checkedAt = state.cached?.checkedAt
    const asked = asking.tag({ key, upstream, tag, known, checkedAt, by: by.arn })
    try {
      const answer = await (otherwise === 'none' ? asked : withPatience(asked, upstream.rule))
      if (answer === 'absent') {
        if (otherwise === 'none') throw refuse('ImageNotFound', { ...inRepository(key), query: { tag } })
        return await readOtherwise(plan, state, reading, undefined)
      }
    } catch (error) {
      if (otherwise !== 'none') {
        onPull('stale')
        return readOtherwise(plan, state, reading, staleCopy(state))
      }
      onPull('failed')
      throw asRefusal(error, key, upstream)
    }
    const now = await tagStates.find(key, tag)
    const after = planOf(now, { now: clock(), settings: { ...upstream.rule.settings, maxAgeMs: 'never' } })
    onPull('miss')
    return after.do === 'check' ? readOtherwise(after, now, reading, undefined) : readAsPlanned(after, now, reading)
  }

  function readAsPlanned<T extends Found>(
    plan: Exclude<TagPlan, { do: 'check' }>,
    state: TagState,
    reading: Reading<T>,
  ) {
    if (plan.do === 'local') return plan.isStale ? withStale(reading.local(), staleCopy(state)) : reading.local()
    return readPending(plan.digest, reading)
  }

  /** A pending manifest may have become an image since its row was read. */
  async function readPending<T extends Found>(digest: Digest, reading: Reading<T>): Promise<T> {
    return (await reading.pending(digest)) ?? reading.localByDigest(digest)
  }

  function readOtherwise<T extends Found>(
    { otherwise }: Extract<TagPlan, { do: 'check' }>,
    state: TagState,
    reading: Reading<T>,
    stale: StaleCopy | undefined,
  ): Promise<T> {
    if (otherwise === 'pending' && state.cached !== undefined) {
      return withStale(readPending(state.cached.digest, reading), stale)
    }
    return withStale(reading.local(), stale)
  }

  /** @throws RemoteFailure when the upstream takes long, or did not answer a moment ago */
  async function withPatience<T>(asked: Promise<T>, rule: CacheRule): Promise<T> {
    // The check goes on, and its failure is remembered, when this pull no longer waits for it.
    asked.catch(() => {})
    const patience = new AbortController()
    const waited = delay(failures.isDown(ruleName(rule)) ? 0 : patienceMs, undefined, { signal: patience.signal })
    try {
      return await Promise.race([asked, waited.then(() => Promise.reject(slow))])
    } finally {
      patience.abort()
      waited.catch(() => {})
    }
  }

  function staleCopy({ cached }: TagState): StaleCopy | undefined {
    return cached && { checkedAt: cached.checkedAt, now: clock() }
  }

  async function findPending(key: RepositoryKey, digest: Digest) {
    const found = await pending.find(key, digest)
    if (found?.isFailing) await asking.retry(key, digest)
    return found
  }

  async function readDigest<T extends Found>(
    upstream: UpstreamRepository,
    key: RepositoryKey,
    digest: Digest,
    by: Puller,
    reading: Reading<T>,
  ): Promise<T> {
    let missing: Refusal
    try {
      const found = await reading.local()
      onPull('hit')
      return found
    } catch (error) {
      if (!isMissing(error)) throw error
      missing = error
    }
    const arriving = await reading.pending(digest)
    if (arriving !== undefined) return arriving
    // As for a blob, the caller who pulled the index was allowed to import what it refers to.
    if (!(await mayImport(key, by)) && !(await pending.isChild(key, digest))) throw missing
    let answer: 'kept' | 'absent'
    try {
      answer = await asking.digest({ key, upstream, digest, by: by.arn })
    } catch (error) {
      onPull('failed')
      throw asRefusal(error, key, upstream)
    }
    if (answer === 'absent') throw refuse('ImageNotFound', { ...inRepository(key), query: { digest } })
    onPull('miss')
    return readPending(digest, reading)
  }

  function upstreamIn(found: readonly CacheRule[], key: RepositoryKey): UpstreamRepository | undefined {
    return found.length === 0 ? undefined : findUpstream(found, key.name)
  }

  async function pull(key: RepositoryKey, reference: Reference, by: Puller): Promise<StoredManifest> {
    const version = metadata.version()
    const found = rules.find(key.registry)
    const upstream = upstreamIn(found instanceof Promise ? await found : found, key)
    const { tag, digest } = reference
    if (upstream === undefined) {
      if (tag !== undefined) hits.remember(key, tag, { isCovered: false, until: Number.POSITIVE_INFINITY }, version)
      return images.pull(key, reference, by)
    }
    const reading: Reading<StoredManifest> = {
      local: () => images.pull(key, reference, by),
      localByDigest: (digest) => images.pull(key, { digest }, by),
      pending: (digest) => findPending(key, digest),
    }
    if (tag === undefined) return readDigest(upstream, key, digest, by, reading)
    const state = await tagStates.find(key, tag)
    const until = localUntil(state, upstream.rule.settings)
    if (until > clock()) hits.remember(key, tag, { isCovered: true, until }, version)
    return readTag(upstream, key, { tag, state }, by, reading)
  }

  return {
    ...images,

    // Flat on purpose: `bench` figures "manifest GET by tag" and "manifest GET by tag, cached against pushed".
    pull(key, reference, by) {
      const { tag } = reference
      const hit = tag === undefined ? undefined : hits.find(key, tag)
      if (hit === undefined) return pull(key, reference, by)
      if (hit.isCovered) onPull('hit')
      return images.pull(key, reference, by)
    },

    async head(key, reference, by) {
      const found = rules.find(key.registry)
      const upstream = upstreamIn(found instanceof Promise ? await found : found, key)
      if (upstream === undefined) return images.head(key, reference, by)
      const reading: Reading<ManifestHead> = {
        local: () => images.head(key, reference, by),
        localByDigest: (digest) => images.head(key, { digest }, by),
        async pending(digest) {
          const arriving = await findPending(key, digest)
          return arriving && { digest, mediaType: arriving.mediaType, sizeBytes: arriving.body.byteLength }
        },
      }
      const { tag, digest } = reference
      if (tag === undefined) return readDigest(upstream, key, digest, by, reading)
      return readTag(upstream, key, { tag, state: await tagStates.find(key, tag) }, by, reading)
    },
  }
}

const slow = new RemoteFailure('unreachable', 'The upstream registry takes long to answer')

async function withStale<T extends Found>(found: Promise<T>, stale: StaleCopy | undefined): Promise<T> {
  return stale === undefined ? found : { ...(await found), stale }
}

function isMissing(error: unknown): error is Refusal {
  if (!(error instanceof Refusal)) return false
  return (
    error.code === ('ImageNotFound' satisfies keyof ContentRefusals) ||
    error.code === ('RepositoryNotFound' satisfies keyof ContentRefusals)
  )
}
