import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { isOneOf } from './delivery-key.ts'
import { countKept, sumOf } from './room.ts'

// Deliveries that nothing else ends: those of a disabled webhook die after a day, and dead ones are deleted after two weeks.

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A caller asks for a dead delivery again within this time. */
const deadKeptMs = 14 * dayMs
/** In one transaction. */
const rowsAtOnce = 1_000

const expireDeliveries = jobKind({
  kind: 'expire-webhook-deliveries',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const deliveryExpirySchedule: Schedule = schedule({ everyMs: hourMs, kind: expireDeliveries, payload: {} })

export function createDeliveryExpiry({
  metadata,
  clock,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
}): Worker {
  return worker(expireDeliveries, async (_payload, { signal }) => {
    const webhooks = await metadata.reader.selectFrom('webhook').select(['id', 'enabled']).orderBy('id').execute()
    for (const { id, enabled } of webhooks) {
      const now = clock()
      if (enabled === 0) await metadata.transaction((trx) => buryDisabled(trx, id, now - dayMs))
      while (!signal.aborted && (await metadata.transaction((trx) => deleteDead(trx, id, now - deadKeptMs)))) {}
      if (signal.aborted) break
    }
    return 'done'
  })
}

/** Looks at the webhook again under its lock: a caller may have enabled it. */
async function buryDisabled(trx: Transaction, webhookId: number, before: number): Promise<void> {
  const row = await trx
    .selectFrom('webhook')
    .select('enabled')
    .where('id', '=', webhookId)
    .forUpdate()
    .executeTakeFirst()
  if (row?.enabled !== 0) return
  await trx
    .updateTable('webhook_delivery')
    .set({ state: 'dead', last_error: 'the webhook was disabled for a day' })
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'waiting')
    .where('waiting_since', '<=', before)
    .execute()
}

/** False once there is none left. */
async function deleteDead(trx: Transaction, webhookId: number, before: number): Promise<boolean> {
  // Before its deliveries, as every other transaction does.
  await trx.selectFrom('webhook').select('id').where('id', '=', webhookId).forNoKeyUpdate().execute()
  const rows = await trx
    .selectFrom('webhook_delivery')
    .select(['sequence', 'order_key as orderKey'])
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'dead')
    .where('waiting_since', '<=', before)
    .limit(rowsAtOnce)
    .execute()
  if (rows.length === 0) return false
  const gone = await trx
    .deleteFrom('webhook_delivery')
    .where('state', '=', 'dead')
    .where(isOneOf(webhookId, rows))
    .returning('bytes')
    .execute()
  const { events, bytes } = sumOf(gone)
  await countKept(trx, webhookId, { events: -events, bytes: -bytes })
  return true
}
