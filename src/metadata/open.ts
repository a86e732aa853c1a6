import { dirname } from 'node:path'
import { makeDurableFolder } from '#lib/durable-folder.ts'
import type { Metadata } from './metadata.ts'
import { migrate, requireCurrent } from './migrate.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** `migrated` to this version, or `current` already, as whoever comes beside servers needs it. */
export type SchemaWanted = 'migrated' | 'current'

/**
 * Opens the store that `url` names: `sqlite:<path>`, `postgres://…` or `postgresql://…`.
 *
 * @throws Error where its schema is not what is wanted, or a newer version's
 */
export async function openMetadata(
  url: string,
  onLostConnection: (error: Error) => void,
  schema: SchemaWanted = 'migrated',
): Promise<Metadata> {
  const prepare = schema === 'migrated' ? migrate : requireCurrent
  if (!url.startsWith('sqlite:')) return openPostgres(url, onLostConnection, prepare)
  const path = url.slice('sqlite:'.length)
  await makeDurableFolder(dirname(path))
  return openSqlite(path, prepare)
}
