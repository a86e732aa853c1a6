import { dirname } from 'node:path'
import { makeFolders } from '#lib/make-folders.ts'
import type { Metadata } from './metadata.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** Opens and migrates the store that `url` names: `sqlite:<path>`, `postgres://…` or `postgresql://…`. */
export async function openMetadata(url: string, onLostConnection: (error: Error) => void): Promise<Metadata> {
  if (!url.startsWith('sqlite:')) return openPostgres(url, onLostConnection)
  const path = url.slice('sqlite:'.length)
  await makeFolders(dirname(path))
  return openSqlite(path)
}
