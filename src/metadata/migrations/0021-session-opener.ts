import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Who opened each session, which has a quota of them. Sessions of before are counted for no caller, and end within hours. */
export async function sessionOpener(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('session')
    .addColumn('opened_by', text, (c) => c.notNull().defaultTo(''))
    .execute()
  await db.schema.createIndex('session_opener').on('session').columns(['opened_by', 'expires_at']).execute()
}
