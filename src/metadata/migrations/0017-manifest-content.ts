import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/**
 * Moves the bodies and annotations of images to a table of their own, one row for an image and its copy in the recycle bin. A list
 * reads the small columns alone. A pull that is recorded rewrites a small row. The database streams the rows from table to table, so
 * that memory is bounded however many there are.
 */
export async function manifestContent(db: Kysely<unknown>, { text, integer, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('manifest_content')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('annotations', text)
    .addColumn('body', bytes, (c) => c.notNull())
    .addPrimaryKeyConstraint('manifest_content_key', ['repository_id', 'digest'])
    .execute()
  await sql`
    insert into manifest_content (repository_id, digest, annotations, body)
    select repository_id, digest, annotations, body from manifest`.execute(db)
  await sql`
    insert into manifest_content (repository_id, digest, annotations, body)
    select repository_id, digest, annotations, body from deleted_image
    where not exists (
      select 1 from manifest
      where manifest.repository_id = deleted_image.repository_id and manifest.digest = deleted_image.digest
    )`.execute(db)
  for (const table of ['manifest', 'deleted_image']) {
    // The body first: SQLite rewrites each row for each column that goes.
    for (const column of ['body', 'annotations']) await db.schema.alterTable(table).dropColumn(column).execute()
  }
}
