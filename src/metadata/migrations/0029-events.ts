import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** The outbox of events, what each account keeps of it, and the last number that the publisher gave. */
export async function events(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('event')
    .addColumn('id', identity)
    .addColumn('event_id', text, (c) => c.notNull())
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('source', text, (c) => c.notNull())
    .addColumn('detail_type', text, (c) => c.notNull())
    .addColumn('order_key', text, (c) => c.notNull())
    .addColumn('at', integer, (c) => c.notNull())
    .addColumn('sequence', integer)
    .addColumn('bytes', integer, (c) => c.notNull())
    .addColumn('resources', text, (c) => c.notNull())
    .addColumn('detail', text, (c) => c.notNull())
    .execute()
  // A row is in one of these indexes while it waits, and in the other two once it is published.
  await db.schema.createIndex('event_waiting').on('event').column('id').where(sql<boolean>`sequence is null`).execute()
  await db.schema
    .createIndex('event_sequence')
    .unique()
    .on('event')
    .column('sequence')
    .where(sql<boolean>`sequence is not null`)
    .execute()
  await db.schema
    .createIndex('event_account')
    .on('event')
    .columns(['account', 'sequence'])
    .where(sql<boolean>`sequence is not null`)
    .execute()
  await db.schema
    .createTable('event_usage')
    .addColumn('account', text, (c) => c.notNull().primaryKey())
    .addColumn('events', integer, (c) => c.notNull())
    .addColumn('bytes', integer, (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('event_publisher')
    .addColumn('id', integer, (c) => c.notNull().primaryKey())
    .addColumn('last_sequence', integer, (c) => c.notNull())
    .execute()
}
