import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { isOneOf } from './delivery-key.ts'

/**
 * How much a webhook may keep of what waits and what is dead. A receiver that is down for a day would otherwise fill the database, once
 * for each webhook. Dead deliveries make room for new ones. Events that still do not fit are left out.
 */
export interface WebhookLimits {
  /** Of one webhook. */
  readonly events: number
  readonly bytes: number
  /** Of all webhooks of an account. Once it is reached, each has an equal part. */
  readonly accountBytes: number
}

const mebibyte = 1024 * 1024
export const defaultWebhookLimits: WebhookLimits = {
  ...{ events: 100_000, bytes: 128 * mebibyte },
  accountBytes: 1_024 * mebibyte,
}

export interface Kept {
  readonly events: number
  readonly bytes: number
}

/** What a row costs beside its body. */
const overheadBytes = 512

export function bytesOf(body: string): number {
  return body.length + overheadBytes
}

/** How much one webhook may keep, where its account keeps that much in so many webhooks. */
export function shareOf(limits: WebhookLimits, account: { readonly bytes: number; readonly webhooks: number }): Kept {
  const part = account.bytes < limits.accountBytes ? limits.bytes : limits.accountBytes / account.webhooks
  return { events: limits.events, bytes: Math.min(limits.bytes, part) }
}

/** Requires that the webhook is locked before its lanes. */
export async function countKept(trx: Transaction, webhookId: number, { events, bytes }: Kept): Promise<void> {
  if (events === 0) return
  await trx
    .updateTable('webhook')
    .set({
      kept_events: sql<number>`kept_events + ${events}`,
      kept_bytes: sql<number>`kept_bytes + ${bytes}`,
    })
    .where('id', '=', webhookId)
    .execute()
}

export function sumOf(rows: readonly { readonly bytes: number }[]): Kept {
  return { events: rows.length, bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** At most some hundred at once. */
const deadAtOnce = 1_000

/** Deletes dead deliveries until so much is free, or none is left. Returns what was freed. The webhook is locked. */
export async function dropDead(trx: Transaction, webhookId: number, wanted: Kept): Promise<Kept> {
  const rows = await trx
    .selectFrom('webhook_delivery')
    .select(['sequence', 'order_key as orderKey', 'bytes'])
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'dead')
    .orderBy('order_key')
    .orderBy('sequence')
    .limit(deadAtOnce)
    .execute()
  let [events, bytes] = [0, 0]
  const first = rows.filter((row) => {
    if (events >= wanted.events && bytes >= wanted.bytes) return false
    events++
    bytes += row.bytes
    return true
  })
  if (first.length === 0) return { events: 0, bytes: 0 }
  const gone = await trx
    .deleteFrom('webhook_delivery')
    .where('state', '=', 'dead')
    .where(isOneOf(webhookId, first))
    .returning('bytes')
    .execute()
  const freed = sumOf(gone)
  await countKept(trx, webhookId, { events: -freed.events, bytes: -freed.bytes })
  return freed
}
