import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Transfers of blobs from elsewhere, one for each blob of a repository. A transfer ends with its upload. */
export async function incomingBlob(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('incoming_blob')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('upload', text, (c) => c.notNull().references('upload.id').onDelete('cascade'))
    .addColumn('size', integer)
    .addColumn('leader', text)
    .addColumn('leased_until', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('incoming_blob_key', ['repository_id', 'digest'])
    .execute()
  await db.schema.createIndex('incoming_blob_upload').unique().on('incoming_blob').column('upload').execute()
  await db.schema.createIndex('incoming_blob_leader').on('incoming_blob').column('leader').execute()
}
