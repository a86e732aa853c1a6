import type { Generated } from 'kysely'

/** The tables of the room `replication`. Times are milliseconds since the epoch, UTC. */
export interface ReplicationTables {
  replication_item: ReplicationItemTable
  replication_tag: ReplicationTagTable
  replication_destination: ReplicationDestinationTable
  replication_upload: ReplicationUploadTable
}

/** One image and one destination: the work while it is on its way, and its status ever after. */
export interface ReplicationItemTable {
  id: Generated<number>
  /** Of the source. */
  repository_id: number
  digest: string
  /** The registry of the source repository. */
  source_account: string
  source_region: string
  /** The destination. */
  account: string
  region: string
  /** `push`, `restore`, `sync` or `repair`. */
  cause: string
  /** Lower goes first: 0 for what clients push, 1 for what is filled in later. */
  priority: number
  /** `WAITING`, `FAILED` or `COMPLETE`. */
  state: string
  /** When what is to be copied was pushed or restored. */
  pushed_at: number
  /** When it is tried next; null once it is complete. */
  due_at: number | null
  /** Since the last success or the last push. */
  attempts: number
  failure_code: string | null
  failure_reason: string | null
  /** When the destination last had the whole image. Stays when the image is pushed again. */
  completed_at: number | null
  /** Counts each time that something was asked for. An attempt completes only the revision that it began with. */
  revision: number
  /** The back-fill that asked for it. */
  sync: number | null
}

/** A tag that is to point to the image at the destination, and does not yet. */
export interface ReplicationTagTable {
  item_id: number
  tag: string
  /** When the tag moved at the source. */
  pushed_at: number
}

/** How replication from one registry to another goes. */
export interface ReplicationDestinationTable {
  source_account: string
  source_region: string
  account: string
  region: string
  /** Nothing is tried before. */
  next_at: Generated<number>
  /** Attempts in a row that did not reach the destination. */
  failures: Generated<number>
  unreachable_since: number | null
  last_error: string | null
  succeeded_at: number | null
  /** Images and bytes of blobs that were copied, and images that were refused. */
  images: Generated<number>
  bytes: Generated<number>
  refused: Generated<number>
}

/** The upload of a blob to a peer, which goes on where it broke. */
export interface ReplicationUploadTable {
  /** The destination. */
  account: string
  region: string
  /** The name of the repository. */
  repository: string
  digest: string
  /** An absolute URL, which the destination made. */
  location: string
  /** How many bytes the destination has acknowledged. */
  offset: number
  touched_at: number
}
