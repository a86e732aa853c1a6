import type { Generated } from 'kysely'

/**
 * The tables of the room `audit`: one row for each event and account that it concerns, and how much of it each actor has. Events are only
 * inserted, and deleted by age and to make room. Times are milliseconds since the epoch, UTC.
 */
export interface AuditTables {
  audit_event: AuditEventTable
  audit_usage: AuditUsageTable
}

export interface AuditEventTable {
  id: Generated<number>
  /** Whose trail it is in: the caller's account, or that of the resource. */
  account: string
  region: string
  event_id: string
  request_id: string
  at: number
  /** `ecr.amazonaws.com`. */
  source: string
  /** `PutImage`. */
  name: string
  /** 0 or 1. */
  read_only: number
  username: string | null
  access_key_id: string | null
  /** `AWS::ECR::Repository`, with the resource's name and ARN. */
  resource_type: string | null
  resource_name: string | null
  resource_arn: string | null
  /** The record, as JSON in CloudTrail's form. */
  record: string
  /** Of a request that was denied: JSON of what was asked, in which circumstances, and the verdict. */
  denial: string | null
  /** The identity that it is charged to (`audit/actor.ts`). */
  actor_account: string
  actor: string
  /** 1 for what was answered and may have changed something; 0 for what makes room first. */
  lasting: number
  /** What it costs on disk, about. */
  bytes: number
}

/** The sums over `audit_event`, by actor and kind, and the count of records that are missing. */
export interface AuditUsageTable {
  account: string
  actor: string
  lasting: number
  records: number
  bytes: number
  /** Records that were never written. */
  dropped: number
  /** Records that made room for others before they were old. */
  evicted: number
}
