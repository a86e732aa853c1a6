import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Schema } from '#metadata/schema.ts'
import type { ImageQuery } from './image.ts'

/** Whether a manifest of the repository is asked for, by its digest or by a tag that it has. */
export function isAsked(
  where: ExpressionBuilder<Schema, 'manifest'>,
  repositoryId: number,
  queries: readonly ImageQuery[],
): Expression<SqlBool> {
  const digests = queries.flatMap(({ digest }) => digest ?? [])
  const tags = queries.flatMap(({ tag }) => tag ?? [])
  const tagged = where
    .selectFrom('tag as asked')
    .select('asked.digest')
    .where('asked.repository_id', '=', repositoryId)
    .where('asked.tag', 'in', tags)
  // PostgreSQL has no empty list.
  return where.or([
    ...(digests.length > 0 ? [where('manifest.digest', 'in', digests)] : []),
    ...(tags.length > 0 ? [where('manifest.digest', 'in', tagged)] : []),
  ])
}
