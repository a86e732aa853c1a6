import type { Selectable } from 'kysely'
import type { EventTable } from '#metadata/schema/events.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { PublishedEvent } from './event.ts'

/** The columns of an event that is published. */
export const eventColumns = [
  ...(['event_id', 'account', 'region', 'source', 'detail_type', 'order_key'] as const),
  ...(['at', 'sequence', 'resources', 'detail'] as const),
] as const

/** `recordEvents` wrote the documents. */
export function parseEvent(row: Pick<Selectable<EventTable>, (typeof eventColumns)[number]>): PublishedEvent {
  const { event_id: id, detail_type, source, account, region, order_key, at, sequence } = row
  return {
    sequence: sequence ?? 0,
    account: parseAccountId(account),
    region: parseRegion(region),
    orderKey: order_key,
    envelope: {
      ...{ version: '0', id, 'detail-type': detail_type, source, account },
      ...{ time: `${new Date(at).toISOString().slice(0, 19)}Z`, region },
      resources: JSON.parse(row.resources) as string[],
      detail: JSON.parse(row.detail) as Record<string, unknown>,
    },
  }
}
