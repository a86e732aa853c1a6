import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Most of a row's bytes left these tables with the migration before. Their pages are full again after this one. */
export async function compactManifests(db: Kysely<unknown>, { compact }: ColumnTypes): Promise<void> {
  await compact(db, 'manifest', 'manifest_key')
  await compact(db, 'deleted_image', 'deleted_image_key')
}
