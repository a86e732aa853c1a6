import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/**
 * For each rule of the pull through cache how long an answer about a tag counts, how many bytes its images may have, and how requests to
 * its upstream went.
 */
export async function cacheSettings(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('pull_through_cache_rule')
    .addColumn('max_age_ms', integer, (c) => c.defaultTo(86_400_000))
    .execute()
  await db.schema.alterTable('pull_through_cache_rule').addColumn('max_bytes', integer).execute()
  await db.schema
    .createTable('cache_rule_status')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('prefix', text, (c) => c.notNull())
    .addColumn('succeeded_at', integer)
    .addColumn('failed_at', integer)
    .addColumn('failure_code', text)
    .addColumn('failure_reason', text)
    .addColumn('limit_requests', integer)
    .addColumn('limit_remaining', integer)
    .addColumn('limit_window_seconds', integer)
    .addColumn('limit_read_at', integer)
    .addPrimaryKeyConstraint('cache_rule_status_key', ['account', 'region', 'prefix'])
    .addForeignKeyConstraint(
      'cache_rule_status_rule',
      ['account', 'region', 'prefix'],
      'pull_through_cache_rule',
      ['account', 'region', 'prefix'],
      (c) => c.onDelete('cascade'),
    )
    .execute()
}
