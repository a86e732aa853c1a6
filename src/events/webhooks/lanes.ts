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

/** When a lane is due again. */
export interface NextTurn {
  readonly orderKey: string
  readonly at: number
  readonly failures: number
  /** Whether the lane may have nothing left. One with a delivery that failed has that delivery. */
  readonly mayBeDrained: boolean
}

/** Says when lanes are due again, or deletes those that have nothing left. Lanes are locked in the order of their keys. */
export async function endTurns(trx: Transaction, webhook_id: number, ended: readonly NextTurn[]): Promise<void> {
  const drained = ended.some(({ mayBeDrained }) => mayBeDrained)
    ? await deleteDrained(trx, webhook_id, ended)
    : new Set()
  const next = ended.filter(({ orderKey }) => !drained.has(orderKey))
  if (next.length === 0) return
  const sorted = next.toSorted((a, b) => byText(a.orderKey, b.orderKey))
  await trx
    .insertInto('webhook_lane')
    .values(sorted.map(({ orderKey, at, failures }) => ({ webhook_id, order_key: orderKey, due_at: at, failures })))
    .onConflict((conflict) =>
      conflict
        .columns(['webhook_id', 'order_key'])
        .doUpdateSet(({ ref }) => ({ due_at: ref('excluded.due_at'), failures: ref('excluded.failures') })),
    )
    .execute()
}

/** A publisher that adds to a lane holds the lock that is taken here, so that no delivery stays without a lane. */
async function deleteDrained(
  trx: Transaction,
  webhookId: number,
  ended: readonly NextTurn[],
): Promise<ReadonlySet<string>> {
  await trx
    .selectFrom('webhook_lane')
    .select('order_key')
    .where('webhook_id', '=', webhookId)
    .where(
      'order_key',
      'in',
      ended.map(({ orderKey }) => orderKey),
    )
    .orderBy('order_key')
    .forUpdate()
    .execute()
  const keys = ended.flatMap(({ orderKey, mayBeDrained }) => (mayBeDrained ? [orderKey] : []))
  // Not one statement with the lock: it must see what a publisher committed that held the lock before.
  const lanes = await trx
    .selectFrom('webhook_lane')
    .select(({ selectFrom }) => [
      'order_key',
      // A look into the index for each lane. PostgreSQL makes a scan of `exists` before it has statistics.
      selectFrom('webhook_delivery')
        .select(({ fn }) => fn.min('sequence').as('sequence'))
        .whereRef('webhook_delivery.webhook_id', '=', 'webhook_lane.webhook_id')
        .where('webhook_delivery.state', '=', 'waiting')
        .whereRef('webhook_delivery.order_key', '=', 'webhook_lane.order_key')
        .as('first'),
    ])
    .where('webhook_id', '=', webhookId)
    .where('order_key', 'in', keys)
    .execute()
  const drained = lanes.flatMap(({ order_key, first }) => (first === null ? [order_key] : []))
  if (drained.length > 0) {
    await trx.deleteFrom('webhook_lane').where('webhook_id', '=', webhookId).where('order_key', 'in', drained).execute()
  }
  return new Set(drained)
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
