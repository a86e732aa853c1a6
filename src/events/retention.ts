import { setImmediate } from 'node:timers/promises'
import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { countEvents, type EventUsage } from './usage.ts'

/**
 * Published events are kept for a day, and each account keeps a bounded number. An account that causes many events makes room for its own
 * events alone. An event that waits for its publication always stays.
 */
export interface EventLimits {
  readonly events: number
  readonly bytes: number
}

/** Of each account. */
export const defaultEventLimits: EventLimits = { events: 100_000, bytes: 256 * 1024 * 1024 }

const keptMs = 86_400_000
/** What one transaction deletes: SQLite does its work in this thread. */
const rowsAtOnce = 500

const forgetEvents = jobKind({
  kind: 'forget-events',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const eventRetentionSchedule: Schedule = schedule({ everyMs: 600_000, kind: forgetEvents, payload: {} })

export function createEventRetention({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(forgetEvents, async (_, { signal }) => {
    for (;;) {
      signal.throwIfAborted()
      if ((await metadata.transaction((trx) => forgetSome(trx, clock() - keptMs))) < rowsAtOnce) return 'done'
      await setImmediate()
    }
  })
}

/** Events of one time may have been published in another order. These are the first in that order. */
async function forgetSome(trx: Transaction, before: number): Promise<number> {
  const rows = await trx
    .selectFrom('event')
    .select(['id', 'at'])
    .where('sequence', 'is not', null)
    .orderBy('sequence')
    .limit(rowsAtOnce)
    .execute()
  const old = rows.filter(({ at }) => at < before).map(({ id }) => id)
  return remove(trx, old)
}

/** Deletes the first events of the accounts that have more than they may. */
export async function makeRoom(trx: Transaction, limits: EventLimits, usages: readonly EventUsage[]): Promise<void> {
  for (const usage of usages) {
    if (usage.events <= limits.events && usage.bytes <= limits.bytes) continue
    const rows = await trx
      .selectFrom('event')
      .select(['id', 'bytes'])
      .where('account', '=', usage.account)
      .where('sequence', 'is not', null)
      .orderBy('sequence')
      .limit(rowsAtOnce)
      .execute()
    let { events, bytes } = usage
    const first: number[] = []
    for (const row of rows) {
      if (events <= limits.events && bytes <= limits.bytes) break
      first.push(row.id)
      events--
      bytes -= row.bytes
    }
    await remove(trx, first)
  }
}

async function remove(trx: Transaction, ids: readonly number[]): Promise<number> {
  if (ids.length === 0) return 0
  const gone = await trx.deleteFrom('event').where('id', 'in', ids).returning(['account', 'bytes']).execute()
  await countEvents(trx, gone, -1)
  return gone.length
}
