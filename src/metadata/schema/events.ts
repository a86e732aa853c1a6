import type { Generated } from 'kysely'

/** The tables of the room `events`. Times are milliseconds since the epoch, UTC. */
export interface EventTables {
  event: EventTable
  event_usage: EventUsageTable
  event_publisher: EventPublisherTable
}

/** The outbox: the transaction that causes an event inserts its row. */
export interface EventTable {
  id: Generated<number>
  event_id: string
  account: string
  region: string
  /** `aws.ecr`. */
  source: string
  /** `ECR Image Action`. */
  detail_type: string
  /** Events of one key are published in the order of their commits. */
  order_key: string
  at: number
  /** The publisher gives it. Null until then. */
  sequence: number | null
  /** What it costs on disk, about. */
  bytes: number
  /** A JSON array of ARNs. */
  resources: string
  /** A JSON object. */
  detail: string
}

/** The sums over the published rows of `event`, by account. */
export interface EventUsageTable {
  account: string
  events: number
  bytes: number
}

/** One row. The process that publishes holds its lock. */
export interface EventPublisherTable {
  id: number
  last_sequence: number
}
