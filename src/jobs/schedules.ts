import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { JobKind } from './kind.ts'
import { enqueue, enqueueIfNone } from './queue.ts'

/** What is to be done time and again: asks for a job of its kind, once in `everyMs` whatever the number of processes. */
export interface Schedule {
  /** That of its kind. */
  readonly name: string
  readonly everyMs: number
  readonly enqueue: (trx: Transaction, at: number) => Promise<unknown>
}

export function schedule<Payload>(options: {
  readonly everyMs: number
  readonly kind: JobKind<Payload>
  readonly payload: Payload
  /** Whether one that still waits or runs when its time has come is left to go on. */
  readonly ifNoneIsThere?: boolean
}): Schedule {
  const { everyMs, kind, payload, ifNoneIsThere = false } = options
  const ask = ifNoneIsThere ? enqueueIfNone : enqueue
  return { name: kind.kind, everyMs, enqueue: (trx, at) => ask(trx, kind, payload, { at }) }
}

/** A schedule that is new is due when its time has passed once; one that became shorter is due no later than that. */
export async function registerSchedules(
  metadata: Metadata,
  schedules: readonly Schedule[],
  now: number,
): Promise<void> {
  const known = await readDue(metadata)
  const late = schedules.filter(({ name, everyMs }) => (known.get(name) ?? Number.POSITIVE_INFINITY) > now + everyMs)
  if (late.length === 0) return
  await metadata.transaction(async (trx) => {
    for (const { name, everyMs } of late) {
      const next_at = now + everyMs
      await trx
        .insertInto('job_schedule')
        .values({ name, next_at })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet({ next_at }).where('job_schedule.next_at', '>', next_at),
        )
        .execute()
    }
  })
}

/**
 * Asks for the jobs of those that are due. Of several processes one finds the row still due; a time that passed long ago, or several
 * times, counts once.
 */
export async function fireSchedules(metadata: Metadata, schedules: readonly Schedule[], now: number): Promise<void> {
  const due = await readDue(metadata)
  for (const { name, everyMs, enqueue } of schedules) {
    const at = due.get(name)
    if (at === undefined || at > now) continue
    await metadata.transaction(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('job_schedule')
        .set({ next_at: now + everyMs })
        .where('name', '=', name)
        .where('next_at', '<=', now)
        .executeTakeFirst()
      if (numUpdatedRows > 0n) await enqueue(trx, now)
    })
  }
}

async function readDue({ reader }: Metadata): Promise<ReadonlyMap<string, number>> {
  const rows = await reader.selectFrom('job_schedule').select(['name', 'next_at']).execute()
  return new Map(rows.map(({ name, next_at }) => [name, next_at]))
}
