import type { BlobStore } from '#blobs/store.ts'
import { addToCounter } from '#jobs/counters.ts'
import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { collectBlobs } from './blobs.ts'
import { collectLinks } from './links.ts'
import { collectStrays } from './strays.ts'
import { collectUploads } from './uploads.ts'

/** Garbage collection as two jobs: what is noted as possible garbage, each few minutes, and what nobody knows of, each day. */

const parts = { attempts: 5, leaseMs: 60_000, key: () => 'all' } as const

/** What a collection took away. */
export interface Collected {
  readonly uploads: number
  readonly links: number
  readonly blobs: number
  readonly bytes: number
}

export const collectGarbage = jobKind<{ readonly collected?: Collected }>({
  kind: 'collect-garbage',
  ...parts,
  // Written here alone, once it is done.
  parse: (document) => document as { readonly collected?: Collected },
})
export const sweepStore = jobKind<object>({ kind: 'sweep-store', ...parts, parse: () => ({}) })

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export const collectionSchedules: readonly Schedule[] = [
  schedule({ everyMs: 10 * minuteMs, kind: collectGarbage, payload: {} }),
  schedule({ everyMs: 24 * hourMs, kind: sweepStore, payload: {} }),
]

export interface CollectionParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly clock: Clock
  /** For how long a link stays that no manifest needs, and content that has no row. */
  readonly gcGraceHours: number
  /** After how long without a byte an upload has been abandoned. */
  readonly uploadExpiryHours: number
  /** Told why the sweep left the store alone. */
  readonly onForeignStore?: (reason: string) => void
}

export function createCollectionWorkers({
  metadata,
  blobs,
  clock,
  gcGraceHours,
  uploadExpiryHours,
  onForeignStore,
}: CollectionParts): readonly Worker[] {
  return [
    worker(collectGarbage, async (_payload, { signal }) => {
      const work = { metadata, blobs, clock, signal }
      const uploads = await collectUploads(work, clock() - uploadExpiryHours * hourMs)
      const links = await collectLinks(work, clock() - gcGraceHours * hourMs)
      if (uploads + links > 0) {
        await metadata.transaction(async (trx) => {
          await addToCounter(trx, 'lading_gc_uploads_total', uploads)
          await addToCounter(trx, 'lading_gc_links_total', links)
        })
      }
      const { blobs: gone, bytes } = await collectBlobs(work)
      return { done: { collected: { uploads, links, blobs: gone, bytes } } }
    }),

    worker(sweepStore, async (_payload, { signal }) => {
      const strays = await collectStrays({ metadata, blobs, clock, signal }, clock() - gcGraceHours * hourMs)
      if ('foreign' in strays) {
        onForeignStore?.(strays.foreign)
        return { giveUp: strays.foreign }
      }
      if (strays.blobs + strays.drafts > 0) {
        await metadata.transaction(async (trx) => {
          await addToCounter(trx, 'lading_gc_stray_blobs_total', strays.blobs)
          await addToCounter(trx, 'lading_gc_stray_drafts_total', strays.drafts)
        })
      }
      return 'done'
    }),
  ]
}
