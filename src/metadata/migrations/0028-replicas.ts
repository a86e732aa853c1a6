import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Which images and which tags came from another registry, and when they were pushed there. */
export async function replicas(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('replica')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id').onDelete('cascade'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('source_account', text, (c) => c.notNull())
    .addColumn('source_region', text, (c) => c.notNull())
    .addColumn('pushed_at', integer, (c) => c.notNull())
    .addColumn('arrived_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('replica_key', ['repository_id', 'digest'])
    .execute()
  await db.schema.alterTable('tag').addColumn('source_account', text).execute()
  await db.schema.alterTable('tag').addColumn('source_region', text).execute()
  await db.schema.alterTable('tag').addColumn('source_pushed_at', integer).execute()
  await db.schema.alterTable('tag_move').addColumn('source_account', text).execute()
  await db.schema.alterTable('tag_move').addColumn('source_region', text).execute()
  // An image that is gone is looked for by the tags that it had. The first move of a tag needs no entry.
  await db.schema
    .createIndex('tag_move_from')
    .on('tag_move')
    .columns(['repository_id', 'from_digest'])
    .where('from_digest', 'is not', null)
    .execute()
}
