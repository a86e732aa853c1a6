import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** For each rule of the pull through cache how long an answer about a tag counts, and how many bytes its repositories may hold. */
export async function cacheSettings(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('pull_through_cache_rule')
    .addColumn('max_age_ms', integer, (c) => c.defaultTo(86_400_000))
    .execute()
  await db.schema.alterTable('pull_through_cache_rule').addColumn('max_bytes', integer).execute()
}
