import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** What people call an account. */
export async function accountName(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema.alterTable('account').addColumn('name', text).execute()
}
