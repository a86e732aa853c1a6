// Folders that survive power loss. A file system keeps a new name only once the folder that holds it is fsynced: fsyncing
// the file alone saves its bytes and may lose its name.

import { dirname } from 'node:path'
import { makeFolders } from './make-folders.ts'
import { syncFolder } from './sync-folder.ts'
import { hasCode } from './system-error.ts'

/** Makes the folder of that absolute path and its missing ancestors durable. */
export async function makeDurableFolder(path: string): Promise<void> {
  const firstMade = await makeFolders(path)
  if (firstMade === undefined) return syncExisting(path)
  const top = dirname(firstMade)
  let folder = path
  do {
    folder = dirname(folder)
    await syncFolder(folder)
  } while (folder.length > top.length)
}

/** Another process may have made the folder a moment ago. A parent that this user cannot read is an operator's work. */
async function syncExisting(path: string): Promise<void> {
  await syncFolder(dirname(path)).catch((error: unknown) => {
    if (!hasCode(error, 'EACCES')) throw error
  })
}
