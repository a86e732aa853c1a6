import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Webhooks, what each still has to deliver, and when each repository's events are due. */
export async function webhooks(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('webhook')
    .addColumn('id', identity)
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('description', text)
    .addColumn('url', text, (c) => c.notNull())
    .addColumn('pattern', text, (c) => c.notNull())
    .addColumn('sealed_secrets', text, (c) => c.notNull())
    .addColumn('enabled', integer, (c) => c.notNull())
    .addColumn('disabled_reason', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addColumn('delivered_at', integer)
    .addColumn('failed_at', integer)
    .addColumn('failure', text)
    .addColumn('leased_by', text)
    .addColumn('leased_until', integer)
    .addColumn('kept_events', integer, (c) => c.notNull())
    .addColumn('kept_bytes', integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('webhook_name').on('webhook').columns(['account', 'region', 'name']).unique().execute()
  await db.schema
    .createTable('webhook_lane')
    .addColumn('webhook_id', integer, (c) => c.notNull().references('webhook.id').onDelete('cascade'))
    .addColumn('order_key', text, (c) => c.notNull())
    .addColumn('due_at', integer, (c) => c.notNull())
    .addColumn('failures', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('webhook_lane_key', ['webhook_id', 'order_key'])
    .execute()
  await db.schema.createIndex('webhook_lane_due').on('webhook_lane').columns(['webhook_id', 'due_at']).execute()
  await deliveries(db, { text, integer })
}

async function deliveries(
  db: Kysely<unknown>,
  { text, integer }: Pick<ColumnTypes, 'text' | 'integer'>,
): Promise<void> {
  await db.schema
    .createTable('webhook_delivery')
    .addColumn('webhook_id', integer, (c) => c.notNull().references('webhook.id').onDelete('cascade'))
    .addColumn('sequence', integer, (c) => c.notNull())
    .addColumn('event_id', text, (c) => c.notNull())
    .addColumn('order_key', text, (c) => c.notNull())
    .addColumn('detail_type', text, (c) => c.notNull())
    .addColumn('body', text, (c) => c.notNull())
    .addColumn('bytes', integer, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('attempts', integer, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('waiting_since', integer, (c) => c.notNull())
    .addColumn('first_at', integer)
    .addColumn('last_at', integer)
    .addColumn('last_status', integer)
    .addColumn('last_error', text)
    .addPrimaryKeyConstraint('webhook_delivery_key', ['webhook_id', 'order_key', 'sequence'])
    .execute()
  await db.schema
    .createIndex('webhook_delivery_lane')
    .on('webhook_delivery')
    .columns(['webhook_id', 'state', 'order_key', 'sequence'])
    .execute()
  await db.schema
    .createIndex('webhook_delivery_event')
    .on('webhook_delivery')
    .columns(['webhook_id', 'event_id'])
    .execute()
}
