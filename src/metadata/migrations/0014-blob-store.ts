import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Which store of blobs is this database's own. Filled by servers, which see both. */
export async function blobStore(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('blob_store')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('store', text, (c) => c.notNull())
    .execute()
}
