import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Lifecycle policies of repositories, and what the latest preview of each repository found. */
export async function lifecycle(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('lifecycle_policy')
    .addColumn('repository_id', integer, (c) => c.primaryKey().references('repository.id').onDelete('cascade'))
    .addColumn('document', text, (c) => c.notNull())
    .addColumn('last_evaluated_at', integer)
    .execute()
  await db.schema
    .createTable('lifecycle_preview')
    .addColumn('id', identity)
    .addColumn('repository_id', integer, (c) => c.notNull().unique().references('repository.id').onDelete('cascade'))
    .addColumn('document', text, (c) => c.notNull())
    .addColumn('status', text, (c) => c.notNull())
    .addColumn('started_at', integer, (c) => c.notNull())
    .addColumn('touched_at', integer, (c) => c.notNull())
    .addColumn('expiring_count', integer, (c) => c.notNull())
    .addColumn('transitioning_count', integer, (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('lifecycle_preview_result')
    .addColumn('preview_id', integer, (c) => c.notNull().references('lifecycle_preview.id').onDelete('cascade'))
    .addColumn('position', integer, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('tags', text, (c) => c.notNull())
    .addColumn('pushed_at', integer, (c) => c.notNull())
    .addColumn('storage_class', text, (c) => c.notNull())
    .addColumn('action', text, (c) => c.notNull())
    .addColumn('rule_priority', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('lifecycle_preview_result_key', ['preview_id', 'position'])
    .execute()
  await db.schema
    .createIndex('lifecycle_preview_result_digest')
    .on('lifecycle_preview_result')
    .columns(['preview_id', 'digest'])
    .execute()
  // Whoever decides on a whole repository asks what its indexes refer to, and layers are many times as many.
  await db.schema
    .createIndex('manifest_reference_manifest')
    .on('manifest_reference')
    .columns(['repository_id', 'parent', 'child'])
    .where(sql<boolean>`kind = 'manifest'`)
    .execute()
}
