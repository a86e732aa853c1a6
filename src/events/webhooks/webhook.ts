import type { Selectable } from 'kysely'
import type { WebhookTable } from '#metadata/schema/webhooks.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'

/** Where events of a registry are sent: those that match a pattern. Times are milliseconds since the epoch. */
export interface Webhook {
  readonly id: number
  readonly registry: Registry
  readonly name: string
  readonly description: string | undefined
  readonly url: string
  /** An event pattern, as the caller wrote it. */
  readonly pattern: string
  readonly enabled: boolean
  /** Whether the receiver itself ended it, by the status 410. */
  readonly isGone: boolean
  readonly createdAt: number
  readonly updatedAt: number
  readonly deliveredAt: number | undefined
  readonly failure: { readonly at: number; readonly reason: string } | undefined
}

export function parseWebhook(row: Selectable<WebhookTable>): Webhook {
  const { id, name, url, pattern, failed_at, failure } = row
  return {
    ...{ id, name, url, pattern, description: row.description ?? undefined },
    registry: { account: parseAccountId(row.account), region: parseRegion(row.region) },
    ...{ enabled: row.enabled === 1, isGone: row.disabled_reason === gone },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at, deliveredAt: row.delivered_at ?? undefined },
    failure: failed_at === null || failure === null ? undefined : { at: failed_at, reason: failure },
  }
}

/** In the column `disabled_reason`. */
export const gone = 'gone'
