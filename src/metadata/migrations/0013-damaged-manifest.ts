import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Which manifests the scrub found damaged, so that each is told once. */
export async function damagedManifest(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('damaged_manifest')
    .addColumn('repository_id', integer, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('found_at', integer, (c) => c.notNull())
    .addColumn('round', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('damaged_manifest_key', ['repository_id', 'digest'])
    .execute()
}
