import { sql } from 'kysely'
import { backoffMs } from '#jobs/backoff.ts'
import type { Clock } from '#lib/clock.ts'
import type { Transaction } from '#metadata/metadata.ts'
import type { Settle } from './destination.ts'
import type { ReplicationAction, ReplicationItem } from './item.ts'
import type { Route } from './queue.ts'

/** Writes what became of an item. An item that was asked for again meanwhile stays waiting for that. */
export interface SettlingParts {
  readonly clock: Clock
  /** Between 0 and 1, spreads what is tried again. */
  readonly random: () => number
  /** Called in the transaction that settles: for each success, and for the first refusal after a push. */
  readonly onAction: (trx: Transaction, action: ReplicationAction) => Promise<void>
}

/** A permission may be given at any time, and the source does not hear of it. */
const refusedAgainMs = 60 * 60 * 1_000
/** Until an image looks again whether another one that goes first is there. */
const laterMs = 1_000
/** What a destination may ask to wait (`Retry-After`). A header that is wrong stops nothing for good. */
export const longestAskedMs = 60 * 60 * 1_000
/** Of a text that another registry may have sent. */
const longestReason = 500

export function createSettle({ clock, random, onAction }: SettlingParts): Settle {
  async function complete(trx: Transaction, item: ReplicationItem, bytes: number): Promise<void> {
    const at = clock()
    await updateItem(trx, item)
      .set({ ...clean, state: 'COMPLETE', due_at: null, completed_at: at, sync: null })
      .execute()
    for (const { tag, pushedAt } of item.tags) {
      await trx
        .deleteFrom('replication_tag')
        .where('item_id', '=', item.id)
        .where('tag', '=', tag)
        .where('pushed_at', '<=', pushedAt)
        .execute()
    }
    await updateRoute(trx, item)
      .set({ ...reached, succeeded_at: at, images: sql`images + 1`, bytes: sql`bytes + ${bytes}` })
      .execute()
    const tags = item.tags.length === 0 ? [undefined] : item.tags.map(({ tag }) => tag)
    for (const tag of tags) await onAction(trx, { item, result: 'SUCCESS', tag, failure: undefined, at })
  }

  async function refuse(trx: Transaction, item: ReplicationItem, failure: Failure): Promise<void> {
    const at = clock()
    await updateItem(trx, item)
      .set({ state: 'FAILED', due_at: at + refusedAgainMs, attempts: item.attempts + 1, ...columnsOf(failure) })
      .execute()
    await updateRoute(trx, item)
      .set({ ...reached, ...(!item.hasFailed && { refused: sql`refused + 1` }) })
      .execute()
    if (item.hasFailed) return
    await onAction(trx, { item, result: 'FAILED', tag: item.tags.at(-1)?.tag, failure, at })
  }

  /** Several images at once find the destination out of reach. They count as one failure. */
  async function postponeAll(trx: Transaction, item: ReplicationItem, reason: string, leastMs: number): Promise<void> {
    const at = clock()
    const counted = await updateRoute(trx, item)
      .set({
        failures: sql`failures + 1`,
        unreachable_since: sql`coalesce(unreachable_since, ${at})`,
        last_error: reason.slice(0, longestReason),
      })
      .where('next_at', '<=', at)
      .returning('failures')
      .executeTakeFirst()
    // It goes behind those that wait: the destination may fail at this image alone.
    await postponeItem(trx, item, at, {})
    if (counted === undefined) return
    const waitMs = Math.max(Math.min(leastMs, longestAskedMs), backoffMs(counted.failures, random()))
    await updateRoute(trx, item)
      .set({ next_at: at + waitMs })
      .execute()
  }

  async function postpone(trx: Transaction, item: ReplicationItem, failure: Failure): Promise<void> {
    const attempts = item.attempts + 1
    const dueAt = clock() + backoffMs(attempts, random())
    await postponeItem(trx, item, dueAt, { attempts, ...columnsOf(failure) })
    await updateRoute(trx, item).set(reached).execute()
  }

  return async (trx, item, outcome) => {
    switch (outcome.kind) {
      case 'complete':
        return complete(trx, item, outcome.bytes)
      case 'gone':
        return forget(trx, item)
      case 'refused':
        return refuse(trx, item, outcome)
      case 'unreachable':
        return postponeAll(trx, item, outcome.reason, outcome.retryAfterMs ?? 0)
      case 'failed':
        return postpone(trx, item, outcome)
      case 'later':
        await updateItem(trx, item)
          .set({ due_at: clock() + laterMs })
          .where('due_at', 'is not', null)
          .execute()
        return
    }
  }
}

interface Failure {
  readonly code: string
  readonly reason: string
}

/** An image that the destination has keeps its status. */
async function forget(trx: Transaction, item: ReplicationItem): Promise<void> {
  await trx
    .deleteFrom('replication_item')
    .where('id', '=', item.id)
    .where('revision', '=', item.revision)
    .where('completed_at', 'is', null)
    .execute()
  const kept = await updateItem(trx, item)
    .set({ ...clean, state: 'COMPLETE', due_at: null, sync: null })
    .returning('id')
    .executeTakeFirst()
  // A push that came meanwhile still needs its tags.
  if (kept !== undefined) await trx.deleteFrom('replication_tag').where('item_id', '=', item.id).execute()
}

const clean = { attempts: 0, failure_code: null, failure_reason: null }
const reached = { failures: 0, unreachable_since: null, last_error: null, next_at: 0 }

/** The destination answers, though no image is whole there yet: the waits before further attempts start small again. */
export async function noteReached(trx: Transaction, route: Route): Promise<void> {
  await updateRouteOf(trx, route).set(reached).where('failures', '>', 0).execute()
}

/** An image of a back-fill that was paused meanwhile stays where it is. */
async function postponeItem(
  trx: Transaction,
  item: ReplicationItem,
  dueAt: number,
  columns: Partial<{ attempts: number } & ReturnType<typeof columnsOf>>,
): Promise<void> {
  await updateItem(trx, item)
    .set({ ...columns, due_at: sql`case when due_at is null then null else cast(${dueAt} as bigint) end` })
    .execute()
}

/** Bytes of an image that is not whole there yet. */
export async function noteSent(trx: Transaction, route: Route, bytes: number): Promise<void> {
  await updateRouteOf(trx, route)
    .set({ bytes: sql`bytes + ${bytes}` })
    .execute()
}

function columnsOf({ code, reason }: Failure) {
  return { failure_code: code, failure_reason: reason.slice(0, longestReason) }
}

function updateItem(trx: Transaction, { id, revision }: ReplicationItem) {
  return trx.updateTable('replication_item').where('id', '=', id).where('revision', '=', revision)
}

function updateRoute(trx: Transaction, { source: { registry }, destination }: ReplicationItem) {
  return updateRouteOf(trx, { source: registry, destination })
}

function updateRouteOf(trx: Transaction, { source, destination }: Route) {
  return trx
    .updateTable('replication_destination')
    .where('source_account', '=', source.account)
    .where('source_region', '=', source.region)
    .where('account', '=', destination.account)
    .where('region', '=', destination.region)
}
