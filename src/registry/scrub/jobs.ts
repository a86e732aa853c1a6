import type { BlobStore } from '#blobs/store.ts'
import { addToCounter } from '#jobs/counters.ts'
import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { type AffectedRepository, findAffected, findKeyOf } from './affected.ts'
import { type BlobProblem, readBlobsAfter, type ScrubWork, scrubBlob } from './blobs.ts'
import { forgetOtherRounds, type ManifestPlace, type ManifestTable, scrubManifests } from './manifests.ts'
import { createPace } from './pace.ts'

/**
 * The scrub: all that is stored is read time and again, at a pace, and what is damaged is found before somebody needs it. A round is one
 * job in parts, each of which says where the next one goes on; a process that dies has its part done again.
 */
export interface ScrubRound {
  /** When it began, in milliseconds since the epoch, which also tells it from others. */
  readonly beganAt: number
  /** The last blob that was read; then the last manifest; then the last in the recycle bin. */
  readonly after: { readonly blob: string } | { readonly manifest: ManifestPlace } | { readonly deleted: ManifestPlace }
}

export const scrubStore = jobKind({
  kind: 'scrub-store',
  attempts: 8,
  leaseMs: 60_000,
  // Written here, by the schedule and by the command that asks for a round.
  parse: (document) => document as Partial<ScrubRound>,
  key: () => 'all',
})

/** A round that takes longer is not begun anew. */
export const scrubSchedule: Schedule = schedule({
  name: 'scrub-store',
  everyMs: 86_400_000,
  kind: scrubStore,
  payload: {},
  ifNoneIsThere: true,
})

export interface BlobDamage {
  readonly digest: Digest
  readonly problem: BlobProblem
  readonly repositories: readonly AffectedRepository[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface ManifestDamage extends Omit<BlobDamage, 'problem'> {
  readonly problem: 'manifest'
}

export interface ScrubParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly clock: Clock
  /** 0 reads nothing. */
  readonly scrubMibPerSecond: number
  /** Told once it is committed; a crash just then leaves it untold, but counted. */
  readonly onDamage: (damage: BlobDamage | ManifestDamage) => void
  readonly partMs?: number
}

/** Other jobs have their turn in between. */
const usualPartMs = 30_000
const blobsAtOnce = 100
const beforeAll: ManifestPlace = { repositoryId: 0, digest: '' }

export function createScrubWorker(parts: ScrubParts): Worker {
  const { metadata, clock, scrubMibPerSecond, partMs = usualPartMs } = parts
  return worker(scrubStore, async (payload, { signal }) => {
    if (scrubMibPerSecond === 0) return { giveUp: 'LADING_SCRUB_MIB_PER_SECOND is 0' }
    const pace = createPace(scrubMibPerSecond * 1024 * 1024)
    const work = { ...parts, pace, signal }
    const until = performance.now() + partMs
    const { beganAt = clock() } = payload
    let after: ScrubRound['after'] | undefined = payload.after ?? { blob: '' }
    try {
      do {
        signal.throwIfAborted()
        after = await scrubSome(parts, work, { beganAt, after }, until)
      } while (after !== undefined && performance.now() < until)
    } finally {
      await metadata.transaction((trx) => addToCounter(trx, 'lading_scrub_bytes_total', pace.spent))
    }
    return after === undefined ? 'done' : { again: { beganAt, after }, at: clock() }
  })
}

async function scrubSome(
  parts: ScrubParts,
  work: ScrubWork,
  { beganAt: round, after }: ScrubRound,
  until: number,
): Promise<ScrubRound['after'] | undefined> {
  if ('blob' in after) return scrubSomeBlobs(parts, work, after.blob, until)
  if ('manifest' in after) {
    const next = await scrubSomeManifests(parts, work, { table: 'manifest', after: after.manifest, round })
    return next === undefined ? { deleted: beforeAll } : { manifest: next }
  }
  const next = await scrubSomeManifests(parts, work, { table: 'deleted_image', after: after.deleted, round })
  if (next !== undefined) return { deleted: next }
  await forgetOtherRounds(parts.metadata, round)
  return undefined
}

async function scrubSomeBlobs(
  { metadata, clock, onDamage }: ScrubParts,
  work: ScrubWork,
  from: string,
  until: number,
): Promise<ScrubRound['after']> {
  const some = await readBlobsAfter(metadata, from, blobsAtOnce)
  for (const blob of some) {
    const problem = await scrubBlob(work, blob)
    if (problem !== undefined) {
      const repositories = await findAffected(metadata.reader, blob.digest)
      onDamage({ digest: blob.digest, problem, repositories, at: clock() })
    }
    if (performance.now() >= until) return { blob: blob.digest }
  }
  const last = some.length < blobsAtOnce ? undefined : some.at(-1)
  return last === undefined ? { manifest: beforeAll } : { blob: last.digest }
}

async function scrubSomeManifests(
  { metadata, clock, onDamage }: ScrubParts,
  work: ScrubWork,
  from: { readonly table: ManifestTable; readonly after: ManifestPlace; readonly round: number },
): Promise<ManifestPlace | undefined> {
  const { damaged, next } = await scrubManifests(work, from)
  for (const { repositoryId, digest } of damaged) {
    const key = await findKeyOf(metadata.reader, repositoryId)
    const repositories = key === undefined ? [] : [{ registry: key.registry, name: key.name, images: [digest] }]
    onDamage({ digest, problem: 'manifest', repositories, at: clock() })
  }
  return next
}
