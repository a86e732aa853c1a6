import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { isOneOf } from './delivery-key.ts'
import { endTurns, type NextTurn } from './lanes.ts'
import type { Outcome } from './post.ts'
import { countKept, sumOf } from './room.ts'
import { gone } from './webhook.ts'

/** What an attempt leaves behind. */
export interface Settlement {
  readonly webhookId: number
  readonly orderKey: string
  /** When the attempt ended. */
  readonly at: number
  /** Absent where a turn of a lane found nothing to deliver. */
  readonly attempt: Attempt | undefined
  /** Where the turn of the lane ends: when the next one is due. */
  readonly next: Pick<NextTurn, 'at' | 'failures'> | undefined
}

export interface Attempt {
  readonly sequence: number
  /** When the day of the delivery began. */
  readonly waitingSince: number
  readonly outcome: Outcome
}

export interface Settled {
  /** False where another process delivers by now. What this one did is not written then. */
  readonly held: boolean
  readonly delivered: number
  readonly failed: number
  /** Deliveries that died, by order key. */
  readonly dead: ReadonlyMap<string, number>
}

/** What is left behind where another process holds the lease. */
export const lost: Settled = { held: false, delivered: 0, failed: 0, dead: new Map() }

/** How long a delivery is tried. */
const dayMs = 86_400_000

/** Writes what attempts for one webhook left behind, if this process still holds its lease. */
export async function writeSettlements(
  trx: Transaction,
  processId: string,
  webhookId: number,
  settlements: readonly Settlement[],
): Promise<Settled> {
  const attempts = settlements.flatMap(({ attempt, ...rest }) =>
    attempt === undefined ? [] : [{ ...rest, ...attempt }],
  )
  const delivered = attempts.filter(({ outcome }) => outcome.kind === 'delivered')
  const failed = attempts.flatMap(({ outcome, ...rest }) =>
    outcome.kind === 'delivered' ? [] : [{ ...rest, outcome }],
  )
  const [lastDelivered, lastFailed] = [delivered.at(-1), failed.at(-1)]
  // Also locks the row before the lanes, as every other transaction does.
  const { numUpdatedRows } = await trx
    .updateTable('webhook')
    .set({
      leased_by: processId,
      ...(lastDelivered && { delivered_at: lastDelivered.at }),
      ...(lastFailed && { failed_at: lastFailed.at, failure: lastFailed.outcome.error }),
      ...(failed.some(({ outcome }) => outcome.kind === 'gone') && { enabled: 0, disabled_reason: gone }),
    })
    .where('id', '=', webhookId)
    .where('leased_by', '=', processId)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return lost

  if (delivered.length > 0) {
    const gone = await trx
      .deleteFrom('webhook_delivery')
      .where(isOneOf(webhookId, delivered))
      .returning('bytes')
      .execute()
    const { events, bytes } = sumOf(gone)
    await countKept(trx, webhookId, { events: -events, bytes: -bytes })
  }
  const dead = new Map<string, number>()
  for (const alike of Map.groupBy(failed, ({ outcome }) => `${outcome.status} ${outcome.error}`).values()) {
    await recordFailures(trx, webhookId, alike)
  }
  for (const failure of failed.filter(isDead)) {
    const died = await bury(trx, webhookId, failure)
    if (died > 0) dead.set(failure.orderKey, died)
  }
  const ended = settlements.flatMap(({ orderKey, next }) => {
    const mayBeDrained = next?.failures === 0 || dead.has(orderKey)
    return next === undefined ? [] : [{ orderKey, ...next, mayBeDrained }]
  })
  await endTurns(trx, webhookId, ended)
  return { held: true, delivered: delivered.length, failed: failed.length, dead }
}

interface Failed {
  readonly orderKey: string
  readonly sequence: number
  readonly waitingSince: number
  readonly outcome: Exclude<Outcome, { readonly kind: 'delivered' }>
  readonly at: number
}

function isDead({ outcome, waitingSince, at }: Failed): boolean {
  return outcome.kind === 'gone' || waitingSince <= at - dayMs
}

/** Of the same kind. */
async function recordFailures(trx: Transaction, webhookId: number, failed: readonly Failed[]): Promise<void> {
  const last = failed.at(-1)
  if (last === undefined) return
  const { at, outcome } = last
  await trx
    .updateTable('webhook_delivery')
    .set({
      attempts: sql<number>`attempts + 1`,
      first_at: sql<number>`coalesce(first_at, ${at})`,
      ...{ last_at: at, last_status: outcome.status ?? null, last_error: outcome.error },
    })
    .where(isOneOf(webhookId, failed))
    .execute()
}

/**
 * A delivery that has waited for a day is dead, and so is each one behind it that has waited as long. Otherwise a lane with many events
 * would need a day for each of them.
 */
async function bury(trx: Transaction, webhookId: number, { orderKey, sequence, outcome, at }: Failed): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('webhook_delivery')
    .set({ state: 'dead', last_status: outcome.status ?? null, last_error: outcome.error })
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'waiting')
    .where('order_key', '=', orderKey)
    .where(({ or, eb }) =>
      or([eb('waiting_since', '<=', at - dayMs), ...(outcome.kind === 'gone' ? [eb('sequence', '=', sequence)] : [])]),
    )
    .executeTakeFirst()
  return Number(numUpdatedRows)
}
