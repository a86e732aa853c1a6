import { open } from 'node:fs/promises'

/**
 * Makes the names in a folder survive power loss: a file system keeps a new name only once the folder that holds it is fsynced.
 * Fsyncing the file alone saves its bytes and may lose its name.
 */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
