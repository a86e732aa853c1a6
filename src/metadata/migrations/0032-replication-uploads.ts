import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Uploads of blobs to other deployments that go on after a restart. */
export async function replicationUploads(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('replication_upload')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('repository', text, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('location', text, (c) => c.notNull())
    .addColumn('offset', integer, (c) => c.notNull())
    .addColumn('touched_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('replication_upload_key', ['account', 'region', 'repository', 'digest'])
    .execute()
}
