import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** What is configured of a registry as a whole, and the policies of single repositories. */
export async function settings(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('registry_setting')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('document', text, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('registry_setting_key', ['account', 'region', 'name'])
    .execute()
  await db.schema
    .createTable('repository_policy')
    .addColumn('repository_id', integer, (c) => c.primaryKey().references('repository.id').onDelete('cascade'))
    .addColumn('document', text, (c) => c.notNull())
    .execute()
}
