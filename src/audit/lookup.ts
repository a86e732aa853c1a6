import type { Expression, SqlBool } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { parseDenial, type RecordedDenial } from './denials.ts'
import { column } from './rows.ts'

/** Finding what the trail holds: newest first, of one account and region, by at most one attribute (CloudTrail, LookupEvents). */
export interface AuditLookup {
  list(trail: Registry, query: EventQuery): Promise<Page<AuditEvent, EventKey>>
  /** The denials that the request ended with; none for one that was not denied, or is not in the account's trail. */
  findDenials(account: Registry['account'] | undefined, requestId: string): Promise<readonly FoundDenial[]>
}

export interface EventQuery {
  readonly attribute?: { readonly key: AttributeKey; readonly value: string } | undefined
  /** Milliseconds since the epoch, both included. */
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly after?: EventKey | undefined
}

/** Where a page ends. */
export interface EventKey {
  readonly at: number
  readonly id: number
}

export type AttributeKey =
  | 'EventId'
  | 'EventName'
  | 'ReadOnly'
  | 'Username'
  | 'ResourceType'
  | 'ResourceName'
  | 'EventSource'
  | 'AccessKeyId'

export interface AuditEvent extends EventKey {
  readonly eventId: string
  readonly name: string
  readonly source: string
  readonly readOnly: boolean
  readonly username: string | undefined
  readonly accessKeyId: string | undefined
  readonly resource: { readonly type: string; readonly name: string } | undefined
  /** JSON. */
  readonly record: string
}

export interface FoundDenial extends RecordedDenial {
  readonly eventId: string
  readonly at: number
}

export function createAuditLookup({ reader }: { readonly reader: Reader }): AuditLookup {
  return {
    async list({ account, region }, { attribute, from, to, limit, after }) {
      const rows = await reader
        .selectFrom('audit_event')
        .selectAll()
        .where('account', '=', account)
        .where('region', '=', region)
        .where('at', '>=', from)
        .where('at', '<=', to)
        .$if(attribute !== undefined, (query) =>
          query.where((eb) => {
            const [name, value] = attribute === undefined ? (['id', 0] as const) : conditionOf(attribute)
            return eb(name, '=', value)
          }),
        )
        .$if(after !== undefined, (query) =>
          query.where((eb): Expression<SqlBool> => {
            const { at, id } = after ?? { at: 0, id: 0 }
            return eb.or([eb('at', '<', at), eb.and([eb('at', '=', at), eb('id', '<', id)])])
          }),
        )
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      const events = rows.map((row) => ({
        ...{ id: row.id, at: row.at, eventId: row.event_id, name: row.name, source: row.source, record: row.record },
        readOnly: row.read_only === 1,
        username: row.username ?? undefined,
        accessKeyId: row.access_key_id ?? undefined,
        resource:
          row.resource_type === null || row.resource_name === null
            ? undefined
            : { type: row.resource_type, name: row.resource_name },
      }))
      return pageOf(events, limit, ({ at, id }) => ({ at, id }))
    },

    async findDenials(account, requestId) {
      const rows = await reader
        .selectFrom('audit_event')
        .select(['event_id', 'at', 'denial'])
        .where('request_id', '=', requestId)
        .$if(account !== undefined, (query) => query.where('account', '=', account ?? ''))
        .orderBy('id')
        .execute()
      return rows.flatMap(({ event_id: eventId, at, denial }) =>
        denial === null ? [] : [{ ...parseDenial(denial), eventId, at }],
      )
    },
  }
}

const columns = {
  EventId: 'event_id',
  EventName: 'name',
  Username: 'username',
  ResourceType: 'resource_type',
  ResourceName: 'resource_name',
  EventSource: 'source',
  AccessKeyId: 'access_key_id',
} as const

/** A resource is found by its ARN too. */
function conditionOf({ key, value }: NonNullable<EventQuery['attribute']>) {
  if (key === 'ReadOnly') return ['read_only', value === 'true' ? 1 : 0] as const
  const name = key === 'ResourceName' && value.startsWith('arn:') ? 'resource_arn' : columns[key]
  return [name, column(value)] as const
}
