import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** How repositories come to be without anybody creating them: templates, and rules of the pull through cache. */
export async function upstream(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('repository_creation_template')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('prefix', text, (c) => c.notNull())
    .addColumn('settings', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('repository_creation_template_key', ['account', 'region', 'prefix'])
    .execute()
  await db.schema
    .createTable('pull_through_cache_rule')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('prefix', text, (c) => c.notNull())
    .addColumn('upstream', text, (c) => c.notNull())
    .addColumn('upstream_url', text, (c) => c.notNull())
    .addColumn('upstream_prefix', text)
    .addColumn('credential_arn', text)
    .addColumn('custom_role_arn', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('pull_through_cache_rule_key', ['account', 'region', 'prefix'])
    .execute()
}
