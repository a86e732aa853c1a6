import type { BlobStore } from '#blobs/store.ts'
import { addToCounter } from '#jobs/counters.ts'
import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { type AffectedRepository, findAffected, findKeyOf } from './affected.ts'
import { type BlobProblem, type DamagedManifest, readBlobsAfter, type ScrubWork, scrubBlob } from './blobs.ts'
import { forgetOtherRounds, type ManifestPlace, scrubManifests } from './manifests.ts'
import { createPace } from './pace.ts'

/**
 * The scrub: all that is stored is read time and again, at a pace, and what is damaged is found before somebody needs it. A round is one
 * job in parts, each of which says where the next one goes on; a process that dies has its part done again.
 */
export interface ScrubRound {
  /** When it began, in milliseconds since the epoch, which also tells it from others. */
  readonly beganAt: number
  /** The last blob that was read; then the last manifest. */
  readonly after: { readonly blob: string } | { readonly manifest: ManifestPlace }
}

export const scrubStore = jobKind({
  kind: 'scrub-store',
  attempts: 8,
  leaseMs: 60_000,
  // Written here, by the schedule and by the command that asks for a round.
  parse: (document) => document as Partial<ScrubRound>,
  key: () => 'all',
  place: 'aside',
})

/** A round that takes longer is not begun anew. */
export const scrubSchedule: Schedule = schedule({
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
  /** Called once it is committed. A crash before the call loses it. */
  readonly onDamage: (damage: BlobDamage | ManifestDamage) => void
  /** Writes rows about it, in the transaction that puts it aside. */
  readonly recordDamage?: (trx: Transaction, damage: BlobDamage | ManifestDamage) => Promise<void>
  readonly partMs?: number
}

/** After so long it says how far it is, which is where a process goes on that takes over from one which died. */
const usualPartMs = 30_000
const blobsAtOnce = 100
const beforeAll: ManifestPlace = { repositoryId: 0, digest: '' }

export function createScrubWorker(parts: ScrubParts): Worker {
  const { metadata, clock, scrubMibPerSecond, partMs = usualPartMs } = parts
  return worker(scrubStore, async (payload, { signal }) => {
    if (scrubMibPerSecond === 0) return { giveUp: 'LADING_SCRUB_MIB_PER_SECOND is 0' }
    const pace = createPace(scrubMibPerSecond * 1024 * 1024)
    const until = performance.now() + partMs
    const { beganAt = clock() } = payload
    let { after = { blob: '' } } = payload
    const goOn = () => ({ again: { beganAt, after }, at: clock() })
    try {
      for await (const place of readOn(parts, { ...workOf(parts), pace, signal }, { beganAt, after })) {
        after = place
        if (performance.now() >= until) return goOn()
      }
      return 'done'
    } catch (error) {
      if (!signal.aborted) throw error
      // It was told to end, and what it has read need not be read again.
      return goOn()
    } finally {
      await metadata.transaction((trx) => addToCounter(trx, 'lading_scrub_bytes_total', pace.spent))
    }
  })
}

/** Reads what is left of a round; yields each place from which another may go on. */
async function* readOn(
  parts: ScrubParts,
  work: ScrubWork,
  { beganAt: round, after }: ScrubRound,
): AsyncGenerator<ScrubRound['after']> {
  if ('blob' in after) {
    for await (const blob of readBlobs(parts, work, after.blob)) yield { blob }
  }
  const from = 'manifest' in after ? after.manifest : beforeAll
  for await (const manifest of readManifests(parts, work, { from, round })) yield { manifest }
  await forgetOtherRounds(parts.metadata, round)
}

async function* readBlobs({ metadata, clock, onDamage }: ScrubParts, work: ScrubWork, from: string) {
  for (let after: string | undefined = from; after !== undefined; ) {
    const some = await readBlobsAfter(metadata, after, blobsAtOnce)
    for (const blob of some) {
      const problem = await scrubBlob(work, blob)
      if (problem !== undefined) {
        onDamage(await blobDamage(metadata.reader, blob.digest, problem, clock()))
      }
      yield blob.digest
      work.signal.throwIfAborted()
    }
    after = some.length < blobsAtOnce ? undefined : some.at(-1)?.digest
  }
}

async function* readManifests(
  { metadata, clock, onDamage }: ScrubParts,
  work: ScrubWork,
  { from, round }: { readonly from: ManifestPlace; readonly round: number },
) {
  for (let after: ManifestPlace | undefined = from; after !== undefined; ) {
    const { damaged, next } = await scrubManifests(work, { after, round })
    for (const { repositoryId, digest } of damaged) {
      onDamage(await manifestDamage(metadata.reader, { repositoryId, digest }, clock()))
    }
    if (next !== undefined) yield next
    after = next
    work.signal.throwIfAborted()
  }
}

function workOf({ metadata, blobs, clock, recordDamage = async () => {} }: ScrubParts) {
  return {
    ...{ metadata, blobs, clock },
    onBlobDamaged: async (trx: Transaction, digest: Digest, problem: BlobProblem) =>
      recordDamage(trx, await blobDamage(trx, digest, problem, clock())),
    onManifestDamaged: async (trx: Transaction, damaged: DamagedManifest) =>
      recordDamage(trx, await manifestDamage(trx, damaged, clock())),
  }
}

async function blobDamage(reader: Reader, digest: Digest, problem: BlobProblem, at: number): Promise<BlobDamage> {
  return { digest, problem, repositories: await findAffected(reader, digest), at }
}

async function manifestDamage(
  reader: Reader,
  { repositoryId, digest }: DamagedManifest,
  at: number,
): Promise<ManifestDamage> {
  const key = await findKeyOf(reader, repositoryId)
  const repositories = key === undefined ? [] : [{ registry: key.registry, name: key.name, images: [digest] }]
  return { digest, problem: 'manifest', repositories, at }
}
