import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** The audit trail: one row for each event and account that it concerns, found by what `LookupEvents` asks for. */
export async function audit(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('audit_event')
    .addColumn('id', identity)
    .addColumn('account', text, (c) => c.notNull().references('account.id').onDelete('cascade'))
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('event_id', text, (c) => c.notNull().unique())
    .addColumn('request_id', text, (c) => c.notNull())
    .addColumn('at', integer, (c) => c.notNull())
    .addColumn('source', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('read_only', integer, (c) => c.notNull())
    .addColumn('username', text)
    .addColumn('access_key_id', text)
    .addColumn('resource_type', text)
    .addColumn('resource_name', text)
    .addColumn('resource_arn', text)
    .addColumn('record', text, (c) => c.notNull())
    .addColumn('denial', text)
    .execute()
  const lookups = ['name', 'username', 'resource_name', 'resource_arn', 'access_key_id'] as const
  for (const column of lookups) {
    await db.schema
      .createIndex(`audit_event_${column}`)
      .on('audit_event')
      .columns(['account', 'region', column, 'at', 'id'])
      .execute()
  }
  await db.schema.createIndex('audit_event_time').on('audit_event').columns(['account', 'region', 'at', 'id']).execute()
  await db.schema.createIndex('audit_event_request').on('audit_event').column('request_id').execute()
  await db.schema.createIndex('audit_event_age').on('audit_event').column('at').execute()
}
