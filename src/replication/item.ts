import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/** One image that is to be copied to one destination. Times are milliseconds since the epoch. */
export interface ReplicationItem {
  readonly id: number
  /** Of the source. */
  readonly repositoryId: number
  readonly source: RepositoryKey
  readonly digest: Digest
  readonly destination: Registry
  readonly cause: ReplicationCause
  /** When it was pushed or restored at the source. */
  readonly pushedAt: number
  /** What of this item an attempt completes: a later push makes another. */
  readonly revision: number
  /** Tags that are to point to it, and when each moved at the source. The first that moved stands first. */
  readonly tags: readonly ReplicatedTag[]
  readonly attempts: number
  /** Whether its status is FAILED. */
  readonly hasFailed: boolean
}

export interface ReplicatedTag {
  readonly tag: Tag
  readonly pushedAt: number
}

export type ReplicationCause = 'push' | 'restore' | 'sync' | 'repair'

/** What replication did, or what it was refused. For each tag, or once without one. */
export interface ReplicationAction {
  readonly item: ReplicationItem
  readonly result: 'SUCCESS' | 'FAILED'
  readonly tag: Tag | undefined
  readonly failure: { readonly code: string; readonly reason: string } | undefined
  readonly at: number
}
