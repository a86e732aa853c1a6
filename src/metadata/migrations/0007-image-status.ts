import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Archived images, principals whose pulls leave no time behind, and how many parts an upload has had. */
export async function imageStatus(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  // One column a statement: SQLite adds no more at once.
  await db.schema
    .alterTable('manifest')
    .addColumn('status', text, (c) => c.notNull().defaultTo('ACTIVE'))
    .execute()
  await db.schema.alterTable('manifest').addColumn('archived_at', integer).execute()
  await db.schema.alterTable('manifest').addColumn('activated_at', integer).execute()
  await db.schema
    .alterTable('upload')
    .addColumn('parts', integer, (c) => c.notNull().defaultTo(0))
    .execute()

  await db.schema
    .createTable('pull_time_update_exclusion')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('principal_arn', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('pull_time_update_exclusion_key', ['account', 'region', 'principal_arn'])
    .execute()
}
