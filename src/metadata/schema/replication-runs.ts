import type { Generated } from 'kysely'

/** More tables of the room `replication`: work on the images that were there before. Times are milliseconds since the epoch, UTC. */
export interface ReplicationRunTables {
  replication_run: ReplicationRunTable
  replication_finding: ReplicationFindingTable
  replication_run_blob: ReplicationRunBlobTable
}

/** A walk over the images of a registry, for one destination. */
export interface ReplicationRunTable {
  id: Generated<number>
  source_account: string
  source_region: string
  /** The destination. */
  account: string
  region: string
  /** `sync`, `dry-run` or `verify`. */
  kind: string
  /** `RUNNING`, `PAUSED`, `COMPLETE`, `CANCELLED` or `FAILED`. */
  state: string
  /** JSON: which images it is about, and what is done with them. */
  request: string
  /** The ARN of the principal. */
  requested_by: string
  created_at: number
  finished_at: number | null
  /** The last image that was listed. Empty at the beginning. */
  after_repository: string
  after_digest: string
  /** When the last image was listed. */
  listed_at: number | null
  /** JSON: what was found so far. */
  counts: string
  /** Why the last attempt to go on failed. */
  last_error: string | null
}

/** An image or a tag that is not the same on both sides. */
export interface ReplicationFindingTable {
  id: Generated<number>
  run_id: number
  repository: string
  /** At the source. */
  digest: string
  /** Null for the image itself. */
  tag: string | null
  kind: string
  /** What the tag points to at the destination. */
  there: string | null
  reason: string | null
}

/** A blob that a dry run has counted. */
export interface ReplicationRunBlobTable {
  run_id: number
  digest: string
  size: number
}
