import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type AccountId, parseAccountId } from '#names/account.ts'

/** One process at a time delivers for a webhook, under a lease that it renews. A process that dies holds it for half a minute at most. */
export interface WebhookLeases {
  /** Those with something due that this process may deliver for. */
  findDue(): Promise<readonly DueWebhook[]>
  /** Takes or keeps the lease. False while another process has it. */
  hold(webhookId: number): Promise<boolean>
  release(webhookId: number): Promise<void>
  /** How often a holder renews it. */
  readonly renewEveryMs: number
}

export interface DueWebhook {
  readonly id: number
  readonly account: AccountId
}

/** Longer than any attempt, so that no attempt outlives its lease. */
const usualHeldMs = 30_000
/** A lease that ends later is from a clock that was ahead. */
const skewMs = 30_000

export function createWebhookLeases({
  metadata,
  clock,
  processId,
  heldMs = usualHeldMs,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Unlike that of any other process, now or before. */
  readonly processId: string
  readonly heldMs?: number | undefined
}): WebhookLeases {
  return {
    renewEveryMs: heldMs / 3,

    async findDue() {
      const now = clock()
      const rows = await metadata.reader
        .selectFrom('webhook')
        .select(['id', 'account'])
        .where('enabled', '=', 1)
        .where(({ or, eb }) =>
          or([
            eb('leased_until', 'is', null),
            eb('leased_until', '<=', now),
            eb('leased_until', '>', now + heldMs + skewMs),
            eb('leased_by', '=', processId),
          ]),
        )
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('webhook_lane')
              .select('order_key')
              .whereRef('webhook_lane.webhook_id', '=', 'webhook.id')
              .where('due_at', '<=', now),
          ),
        )
        .execute()
      return rows.map(({ id, account }) => ({ id, account: parseAccountId(account) }))
    },

    hold(webhookId) {
      const now = clock()
      return metadata.transaction(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('webhook')
          .set({ leased_by: processId, leased_until: now + heldMs })
          .where('id', '=', webhookId)
          .where(({ or, eb }) =>
            or([
              eb('leased_until', 'is', null),
              eb('leased_until', '<=', now),
              eb('leased_until', '>', now + heldMs + skewMs),
              eb('leased_by', '=', processId),
            ]),
          )
          .executeTakeFirst()
        return numUpdatedRows > 0n
      })
    },

    async release(webhookId) {
      await metadata.transaction((trx) =>
        trx
          .updateTable('webhook')
          .set({ leased_by: null, leased_until: null })
          .where('id', '=', webhookId)
          .where('leased_by', '=', processId)
          .execute(),
      )
    },
  }
}
