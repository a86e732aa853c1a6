// Folders that survive power loss. A file system keeps a new name only once the folder that holds it is fsynced: fsyncing
// the file alone saves its bytes and may lose its name.

import { dirname } from 'node:path'
import { makeFolders } from '#lib/make-folders.ts'
import { syncFolder } from '#lib/sync-folder.ts'

/**
 * The folder of that absolute path and its missing ancestors, durable. If it exists already its parent is fsynced all the same, for another
 * process may have made it a moment ago.
 */
export async function makeFolder(path: string): Promise<void> {
  const firstMade = await makeFolders(path)
  const top = dirname(firstMade ?? path)
  let folder = path
  do {
    folder = dirname(folder)
    await syncFolder(folder)
  } while (folder.length > top.length)
}
