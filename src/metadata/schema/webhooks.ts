import type { Generated } from 'kysely'

/**
 * The tables of webhooks in the room `events`.
 *
 *   webhook ──< webhook_lane       one for each order key that still has something to deliver
 *      └──────< webhook_delivery   one for each event that waits, or that is dead
 *
 * Times are milliseconds since the epoch, UTC.
 */
export interface WebhookTables {
  webhook: WebhookTable
  webhook_lane: WebhookLaneTable
  webhook_delivery: WebhookDeliveryTable
}

export interface WebhookTable {
  id: Generated<number>
  account: string
  region: string
  name: string
  description: string | null
  url: string
  /** An event pattern, as the caller wrote it. */
  pattern: string
  /** Sealed (`iam/secret-box.ts`): JSON, the secret that counts and those that still sign. */
  sealed_secrets: string
  /** 1 or 0. */
  enabled: number
  /** `gone` where the receiver ended it by the status 410; null where a caller disabled it. */
  disabled_reason: string | null
  created_at: number
  updated_at: number
  /** The last attempts that succeeded and failed, and why the last one failed. */
  delivered_at: number | null
  failed_at: number | null
  failure: string | null
  /** The process that delivers, and from when another one may. */
  leased_by: string | null
  leased_until: number | null
  /** How many deliveries it has, waiting and dead, and what they take. */
  kept_events: number
  kept_bytes: number
}

/** Deliveries of one order key follow one another. The first that waits is due at `due_at`. */
export interface WebhookLaneTable {
  webhook_id: number
  order_key: string
  due_at: number
  /** How many attempts failed since one succeeded. */
  failures: number
}

export interface WebhookDeliveryTable {
  webhook_id: number
  /** The place of the event among all. */
  sequence: number
  event_id: string
  order_key: string
  detail_type: string
  /** The JSON that is sent. It is here because the event itself is kept for a shorter time. */
  body: string
  bytes: number
  /** `waiting` or `dead`. A delivery that succeeds is deleted. */
  state: string
  attempts: number
  created_at: number
  /** When its day began: when it was created, or when a caller asked for it again. */
  waiting_since: number
  first_at: number | null
  last_at: number | null
  last_status: number | null
  last_error: string | null
}
