import type { Reader, Transaction } from '#metadata/metadata.ts'

/** The deliveries of a webhook for one order key. They follow one another. */
export interface Lane {
  readonly orderKey: string
  /** How many attempts failed since one succeeded. */
  readonly failures: number
}

/** A delivery that waits. */
export interface Waiting {
  readonly sequence: number
  readonly eventId: string
  readonly body: string
  /** When its day began. */
  readonly waitingSince: number
}

/** Those that have been due for longest, without `running`. */
export async function findDueLanes(
  reader: Reader,
  webhookId: number,
  { now, limit, running }: { readonly now: number; readonly limit: number; readonly running: readonly string[] },
): Promise<readonly Lane[]> {
  const rows = await reader
    .selectFrom('webhook_lane')
    .select(['order_key', 'failures'])
    .where('webhook_id', '=', webhookId)
    .where('due_at', '<=', now)
    .$if(running.length > 0, (query) => query.where('order_key', 'not in', running))
    .orderBy('due_at')
    .limit(limit)
    .execute()
  return rows.map(({ order_key, failures }) => ({ orderKey: order_key, failures }))
}

/** The first ones of a lane, in order. */
export async function readLane(
  reader: Reader,
  webhookId: number,
  orderKey: string,
  limit: number,
): Promise<readonly Waiting[]> {
  const rows = await reader
    .selectFrom('webhook_delivery')
    .select(['sequence', 'event_id', 'body', 'waiting_since'])
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'waiting')
    .where('order_key', '=', orderKey)
    .orderBy('sequence')
    .limit(limit)
    .execute()
  return rows.map(({ sequence, event_id, body, waiting_since }) => ({
    ...{ sequence, eventId: event_id, body, waitingSince: waiting_since },
  }))
}

/**
 * Makes lanes due at `at`, or deletes those that have nothing left. It locks them first. A publisher that adds to a lane holds the same
 * lock, so that no delivery stays without a lane.
 */
export async function endTurns(
  trx: Transaction,
  webhookId: number,
  orderKeys: readonly string[],
  { at, failures }: { readonly at: number; readonly failures: number },
): Promise<void> {
  if (orderKeys.length === 0) return
  const lanes = trx
    .selectFrom('webhook_lane')
    .select('order_key')
    .where('webhook_id', '=', webhookId)
    .where('order_key', 'in', orderKeys)
  const locked = await lanes.orderBy('order_key').forUpdate().execute()
  const keys = locked.map(({ order_key }) => order_key)
  if (keys.length === 0) return
  const left = await trx
    .selectFrom('webhook_delivery')
    .select('order_key')
    .distinct()
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'waiting')
    .where('order_key', 'in', keys)
    .execute()
  const waiting = new Set(left.map(({ order_key }) => order_key))
  const drained = keys.filter((key) => !waiting.has(key))
  if (drained.length > 0) {
    await trx.deleteFrom('webhook_lane').where('webhook_id', '=', webhookId).where('order_key', 'in', drained).execute()
  }
  if (waiting.size === 0) return
  await trx
    .updateTable('webhook_lane')
    .set({ due_at: at, failures })
    .where('webhook_id', '=', webhookId)
    .where('order_key', 'in', [...waiting])
    .execute()
}

/** Lets no lane of a webhook wait any longer. */
export async function makeAllDue(trx: Transaction, webhookId: number, now: number): Promise<void> {
  await trx
    .updateTable('webhook_lane')
    .set({ due_at: now, failures: 0 })
    .where('webhook_id', '=', webhookId)
    .where('due_at', '>', now)
    .execute()
}

/** The order in which transactions lock lanes. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
