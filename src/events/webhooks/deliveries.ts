import type { ExpressionBuilder, Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { WebhookDeliveryTable } from '#metadata/schema/webhooks.ts'
import type { Schema } from '#metadata/schema.ts'
import { type DeliveryKey, isOneOf } from './delivery-key.ts'
import { byText } from './lanes.ts'
import { refuse } from './refusals.ts'
import type { Webhook } from './webhook.ts'

/** An event that a webhook has to deliver, or that it gave up. Times are milliseconds since the epoch. */
export interface Delivery {
  readonly sequence: number
  readonly eventId: string
  readonly detailType: string
  readonly orderKey: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly createdAt: number
  readonly firstAt: number | undefined
  readonly lastAt: number | undefined
  readonly lastStatus: number | undefined
  readonly lastError: string | undefined
}

/** `dead`: no attempt within a day succeeded. */
export type DeliveryState = 'waiting' | 'dead'

export interface DeliveryCounts {
  readonly waiting: number
  readonly dead: number
}

export interface Deliveries {
  /** By order key, and then in the order of events. `after` is the key of an earlier page. */
  list(webhook: Webhook, query: DeliveryQuery): Promise<Page<Delivery, DeliveryKey>>
  count(webhookIds: readonly number[]): Promise<ReadonlyMap<number, DeliveryCounts>>
  /** Tries again what is dead, or one event, from now on for a day. Returns how many. @throws Refusal `DeliveryNotFound` */
  redeliver(webhook: Webhook, eventId: string | undefined): Promise<number>
}

export interface DeliveryQuery {
  readonly state: DeliveryState | undefined
  readonly limit: number
  readonly after: DeliveryKey | undefined
}

/** In one transaction. */
const rowsAtOnce = 1_000

export function createDeliveries({
  metadata,
  clock,
  onDue,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Called when something may be due. */
  readonly onDue: () => void
}): Deliveries {
  return {
    async list({ id }, { state, limit, after }) {
      const rows = await metadata.reader
        .selectFrom('webhook_delivery')
        .select(columns)
        .where('webhook_id', '=', id)
        .$if(state !== undefined, (query) => query.where('state', '=', state ?? ''))
        .$if(after !== undefined, (query) => query.where(isAfter(after ?? { orderKey: '', sequence: 0 })))
        .orderBy('order_key')
        .orderBy('sequence')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseDelivery), limit, ({ orderKey, sequence }) => ({ orderKey, sequence }))
    },

    count: (webhookIds) => countDeliveries(metadata.reader, webhookIds),

    async redeliver({ id, name }, eventId) {
      const count =
        eventId === undefined
          ? await reviveAll(id)
          : await metadata.transaction((trx) => reviveOne(trx, id, eventId, clock()))
      if (count === 0 && eventId !== undefined) throw refuse('DeliveryNotFound', { name, eventId })
      onDue()
      return count
    },
  }

  async function reviveAll(webhookId: number): Promise<number> {
    let total = 0
    for (;;) {
      const count = await metadata.transaction(async (trx) => {
        const dead = await trx
          .selectFrom('webhook_delivery')
          .select(['sequence', 'order_key as orderKey'])
          .where('webhook_id', '=', webhookId)
          .where('state', '=', 'dead')
          .limit(rowsAtOnce)
          .execute()
        return revive(trx, webhookId, dead, clock())
      })
      total += count
      if (count < rowsAtOnce) return total
    }
  }
}

/** Of the webhooks given, or of all. */
export async function countDeliveries(
  reader: Reader,
  webhookIds?: readonly number[],
): Promise<ReadonlyMap<number, DeliveryCounts>> {
  const rows = await reader
    .selectFrom('webhook_delivery')
    .select(({ fn }) => ['webhook_id', 'state', fn.countAll().as('count')])
    .$if(webhookIds !== undefined, (query) => query.where('webhook_id', 'in', webhookIds ?? []))
    .groupBy(['webhook_id', 'state'])
    .execute()
  const counts = new Map<number, DeliveryCounts>()
  for (const { webhook_id, state, count } of rows) {
    counts.set(webhook_id, { ...(counts.get(webhook_id) ?? { waiting: 0, dead: 0 }), [state]: Number(count) })
  }
  return counts
}

async function reviveOne(trx: Transaction, webhookId: number, eventId: string, now: number): Promise<number> {
  const rows = await trx
    .selectFrom('webhook_delivery')
    .select(['sequence', 'order_key as orderKey'])
    .where('webhook_id', '=', webhookId)
    .where('event_id', '=', eventId)
    .execute()
  return revive(trx, webhookId, rows, now)
}

/** The webhook first, and then lanes, as publishers and deliverers lock them. */
async function revive(
  trx: Transaction,
  webhook_id: number,
  rows: readonly DeliveryKey[],
  now: number,
): Promise<number> {
  if (rows.length === 0) return 0
  await trx.selectFrom('webhook').select('id').where('id', '=', webhook_id).forNoKeyUpdate().execute()
  const keys = [...new Set(rows.map(({ orderKey }) => orderKey))].sort(byText)
  const due = { due_at: now, failures: 0 }
  await trx
    .insertInto('webhook_lane')
    .values(keys.map((order_key) => ({ webhook_id, order_key, ...due })))
    .onConflict((conflict) => conflict.columns(['webhook_id', 'order_key']).doUpdateSet(due))
    .execute()
  const { numUpdatedRows } = await trx
    .updateTable('webhook_delivery')
    .set({ state: 'waiting', attempts: 0, waiting_since: now })
    .where(isOneOf(webhook_id, rows))
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

function isAfter({ orderKey, sequence }: DeliveryKey) {
  return ({ or, and, eb }: ExpressionBuilder<Schema, 'webhook_delivery'>) =>
    or([eb('order_key', '>', orderKey), and([eb('order_key', '=', orderKey), eb('sequence', '>', sequence)])])
}

const columns = [
  ...(['sequence', 'event_id', 'detail_type', 'order_key', 'state', 'attempts'] as const),
  ...(['created_at', 'first_at', 'last_at', 'last_status', 'last_error'] as const),
] as const

function parseDelivery(row: Pick<Selectable<WebhookDeliveryTable>, (typeof columns)[number]>): Delivery {
  return {
    ...{ sequence: row.sequence, eventId: row.event_id, detailType: row.detail_type, orderKey: row.order_key },
    // Written by `fan-out.ts` and `settlement.ts`.
    state: row.state as DeliveryState,
    ...{ attempts: row.attempts, createdAt: row.created_at, firstAt: row.first_at ?? undefined },
    ...{ lastAt: row.last_at ?? undefined, lastStatus: row.last_status ?? undefined },
    lastError: row.last_error ?? undefined,
  }
}
