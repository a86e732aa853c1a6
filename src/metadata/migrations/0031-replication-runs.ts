import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Work on the images that a registry had before: back-fills, and comparisons of both sides with what they found. */
export async function replicationRuns(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('replication_run')
    .addColumn('id', identity)
    .addColumn('source_account', text, (c) => c.notNull())
    .addColumn('source_region', text, (c) => c.notNull())
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('request', text, (c) => c.notNull())
    .addColumn('requested_by', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('finished_at', integer)
    .addColumn('after_repository', text, (c) => c.notNull())
    .addColumn('after_digest', text, (c) => c.notNull())
    .addColumn('listed_at', integer)
    .addColumn('counts', text, (c) => c.notNull())
    .addColumn('last_error', text)
    .execute()
  await db.schema
    .createIndex('replication_run_of_registry')
    .on('replication_run')
    .columns(['source_account', 'source_region', 'id'])
    .execute()
  await db.schema
    .createTable('replication_finding')
    .addColumn('id', identity)
    .addColumn('run_id', integer, (c) => c.notNull().references('replication_run.id').onDelete('cascade'))
    .addColumn('repository', text, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('tag', text)
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('there', text)
    .addColumn('reason', text)
    .execute()
  await db.schema
    .createIndex('replication_finding_of_run')
    .on('replication_finding')
    .columns(['run_id', 'id'])
    .execute()
  await db.schema
    .createTable('replication_run_blob')
    .addColumn('run_id', integer, (c) => c.notNull().references('replication_run.id').onDelete('cascade'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('size', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('replication_run_blob_key', ['run_id', 'digest'])
    .execute()
  await db.schema
    .createIndex('replication_item_not_there')
    .on('replication_item')
    .columns(['source_account', 'source_region', 'account', 'region', 'state', 'priority', 'pushed_at', 'id'])
    .where('state', '<>', sql.lit('COMPLETE'))
    .execute()
  await db.schema
    .createIndex('replication_item_of_run')
    .on('replication_item')
    .columns(['sync', 'state'])
    .where('sync', 'is not', null)
    .execute()
}
