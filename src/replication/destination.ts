import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { Tag } from '#names/tag.ts'
import type { ReplicationItem } from './item.ts'

/** A registry that images are copied to: another one of this deployment, or one elsewhere. */
export interface Destination {
  /** One process at a time works for destinations of the same key. */
  readonly leaseKey: string
  /** How many batches run at once, and how many items a batch has at most. */
  readonly lanes: number
  readonly batch: number
  /** When it next takes images, if it takes none now. */
  closedUntil(now: number): number | undefined
  /** Settles each item, in the transaction that writes the copy where there is one. What it throws is a failure of each unsettled item. */
  replicate(items: readonly ReplicationItem[], settle: Settle, options: SignalOption): Promise<void>
  /** What the destination has of these. @throws RemoteFailure */
  inspect(name: RepositoryName, asked: Inspected, options: SignalOption): Promise<Inspection>
  /** Those of these blobs that a copy of an image of the source's repository would have to send. @throws RemoteFailure */
  missingBlobs(
    source: SourceRepository,
    digests: readonly Digest[],
    options: SignalOption,
  ): Promise<ReadonlySet<Digest>>
}

export interface SourceRepository {
  readonly id: number
  readonly name: RepositoryName
}

export interface SignalOption {
  readonly signal: AbortSignal
}

/** Records what became of an item. */
export type Settle = (trx: Transaction, item: ReplicationItem, outcome: Outcome) => Promise<void>

/**
 * `gone`: the source does not have the image any more, or has archived it.
 * `refused`: a policy, a permission or a quota of the destination stands against it. Status FAILED.
 * `unreachable`: the destination as a whole, which all its items wait for. Status IN_PROGRESS.
 * `failed`: this attempt for this image. Status IN_PROGRESS.
 * `later`: another image goes first. No failure.
 */
export type Outcome =
  | { readonly kind: 'complete'; readonly bytes: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }
  | { readonly kind: 'later' }

export interface Inspected {
  readonly digests: readonly Digest[]
  readonly tags: readonly Tag[]
}

/** `deleted`: it was there, and the destination deleted it by itself. */
export interface Inspection {
  readonly images: ReadonlyMap<Digest, 'present' | 'archived' | 'absent' | 'deleted'>
  readonly tags: ReadonlyMap<Tag, Digest | 'absent' | 'deleted'>
}

/** The destination that a registry is, seen from another. */
export type FindDestination = (source: Registry, destination: Registry) => Destination
