import type { Generated } from 'kysely'

/**
 * The table of the room `audit`: one row for each event and account that it concerns. Only inserted, and deleted by age.
 * Times are milliseconds since the epoch, UTC.
 */
export interface AuditTables {
  audit_event: AuditEventTable
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
}
