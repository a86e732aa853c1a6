import type { BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'

/** What a step of collection works with. Each ends between two transactions once `signal` is aborted, by throwing its reason. */
export interface CollectionWork {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly signal: AbortSignal
}
