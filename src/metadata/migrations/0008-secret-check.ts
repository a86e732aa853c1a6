import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** A sealed text, by which a start finds out whether it has the key of the database's secrets. */
export async function secretCheck(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('secret_check')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('sealed', text, (c) => c.notNull())
    .execute()
}
