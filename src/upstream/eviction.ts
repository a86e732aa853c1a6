import { setImmediate } from 'node:timers/promises'
import { addToCounter } from '#jobs/counters.ts'
import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Announcements } from '#registry/announcements.ts'
import { renewedAfterMs } from '#registry/collectable.ts'
import { dropCopies } from '#registry/image-removal.ts'
import { lockLive } from '#registry/image-removals.ts'
import { findKeptInUse } from '#registry/kept-in-use.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { type CacheRule, readLimitedRules, readRules } from './cache-rules.ts'
import { readCachedBytes, readCachedRepositories } from './cache-usage.ts'
import { forgetOrigins } from './cached-origins.ts'
import { type EvictionCandidate, findCandidates, findCandidatesIn, findWhole } from './eviction-candidates.ts'
import { evictCachedImages, requestEvictionNow } from './eviction-kind.ts'
import type { RuleKey } from './rule-status.ts'

/**
 * Keeps what a rule has cached within its limit: the image that has been unused for longest goes first, as a whole, until there is some
 * room. What goes is not kept in the recycle bin, because it can be fetched again.
 */
export interface EvictionParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly gcGraceHours: number
  /** Writes the times of pulls that this process has in memory. */
  readonly flushPulls: () => Promise<void>
  /** Writes rows about what was evicted, in the transaction that evicts it. */
  readonly onEvicted: (trx: Transaction, eviction: Eviction) => Promise<void>
  readonly announcements?: Partial<Announcements>
}

/** Images that made room for others. */
export interface Eviction {
  readonly rule: RuleKey
  readonly repository: RepositoryKey
  readonly images: readonly EvictedImage[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface EvictedImage {
  readonly digest: Digest
  readonly tags: readonly string[]
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Eviction frees a tenth of the limit, so that the next image does not start it again. */
const keptShare = 0.9

/** An image that was used so lately stays: a client may be in the midst of its layers. */
const settledMs = 10 * minuteMs

const findFullCaches = jobKind({
  kind: 'find-full-caches',
  attempts: 5,
  leaseMs: minuteMs,
  parse: () => ({}),
  key: () => 'all',
})

export const evictionSchedule: Schedule = schedule({ everyMs: hourMs, kind: findFullCaches, payload: {} })

export function createEvictionWorkers(parts: EvictionParts): readonly Worker[] {
  const { metadata, clock } = parts
  return [
    worker(findFullCaches, async () => {
      const rules = await readLimitedRules(metadata.reader)
      await metadata.transaction(async (trx) => {
        for (const rule of rules) await requestEvictionNow(trx, rule, clock())
      })
      return 'done'
    }),

    worker(evictCachedImages, async (key, { signal }) => {
      const ended = await evict(parts, key, signal)
      return ended === 'done' ? ended : { again: key, at: clock() + settledMs }
    }),
  ]
}

/** `later` where the limit is passed by images that are in use right now. @throws the signal's reason when it is aborted */
async function evict(parts: EvictionParts, key: RuleKey, signal: AbortSignal): Promise<'done' | 'later'> {
  const { metadata, clock, flushPulls } = parts
  const rules = await readRules(metadata.reader, key.registry)
  const rule = rules.find(({ prefix }) => prefix === key.prefix)
  if (rule === undefined || rule.settings.maxBytes === 'unlimited') return 'done'
  const limit = rule.settings.maxBytes
  const prefixes = rules.map(({ prefix }) => prefix)
  const ids = await readCachedRepositories(metadata.reader, rule, prefixes)
  const measure = () => readCachedBytes(metadata.reader, ids)
  let bytes = await measure()
  if (bytes <= limit) return 'done'

  await flushPulls()
  const settledBefore = clock() - settledMs
  const candidates = await findCandidates(metadata.reader, ids)
  const settled = candidates.filter(({ usedAt }) => usedAt <= settledBefore)
  const target = limit * keptShare
  for (let at = 0; at < settled.length && bytes > target; ) {
    // Images share layers, so that they free at most what they have: nothing goes that need not.
    for (let planned = 0; at < settled.length && planned < bytes - target; at++) {
      signal.throwIfAborted()
      const candidate = settled[at]
      if (candidate !== undefined) planned += await evictOne(parts, rule, candidate)
      await setImmediate()
    }
    const left = await measure()
    await countFreed(metadata, bytes - left)
    bytes = left
  }
  return bytes > limit && settled.length < candidates.length ? 'later' : 'done'
}

/** Answers how many bytes of blobs the images have that went; 0 where the image is not as it was, or is kept. */
async function evictOne(
  { metadata, clock, gcGraceHours, onEvicted, announcements }: EvictionParts,
  rule: CacheRule,
  candidate: EvictionCandidate,
): Promise<number> {
  const at = clock()
  const unneededSince = at - gcGraceHours * hourMs + renewedAfterMs(gcGraceHours)
  return metadata.transaction(async (trx) => {
    const live = await lockLive(trx, candidate.repositoryId)
    const [still] = live === undefined ? [] : await findCandidatesIn(trx, candidate.repositoryId, [candidate.digest])
    if (live === undefined || still === undefined || still.usedAt > candidate.usedAt) return 0
    const { repository } = live
    const digests = await findWhole(trx, repository.id, candidate.digest)
    if ((await findKeptInUse(trx, repository, digests, at)).size > 0) return 0
    const size = await readSize(trx, repository.id, digests)
    const images = await dropCopies(trx, repository, digests, { at, unneededSince }, announcements)
    await forgetTags(trx, repository.id, digests)
    await forgetOrigins(trx, repository.id, digests)
    await addToCounter(trx, 'lading_cache_evicted_images_total', digests.length)
    const { registry, prefix } = rule
    await onEvicted(trx, { rule: { registry, prefix }, repository, images, at })
    return size
  })
}

async function readSize(reader: Reader, repositoryId: number, parents: readonly Digest[]): Promise<number> {
  const { size } = await reader
    .selectFrom('blob')
    .select(({ fn }) => fn.sum<number | null>('size').as('size'))
    .where('digest', 'in', ({ selectFrom }) =>
      selectFrom('manifest_reference')
        .select('child')
        .where('repository_id', '=', repositoryId)
        .where('parent', 'in', [...parents])
        .where('kind', '!=', 'manifest'),
    )
    .executeTakeFirstOrThrow()
  return Number(size ?? 0)
}

/** The next pull of such a tag asks the upstream. */
async function forgetTags(trx: Transaction, repositoryId: number, digests: readonly Digest[]): Promise<void> {
  await trx
    .deleteFrom('cached_tag')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', [...digests])
    .execute()
}

async function countFreed(metadata: Metadata, bytes: number): Promise<void> {
  if (bytes <= 0) return
  await metadata.transaction((trx) => addToCounter(trx, 'lading_cache_evicted_bytes_total', bytes))
}
