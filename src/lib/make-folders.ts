import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ifPresent } from './system-error.ts'

/**
 * Makes the folder of that absolute path and its missing ancestors, for their owner alone, and answers the topmost that was
 * missing. Node's own recursive `mkdir` never ends where a file system answers ENOENT to every new name, as /proc does.
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  const missing: string[] = []
  for (let folder = path; !(await isFolder(folder)); folder = dirname(folder)) missing.unshift(folder)
  for (const folder of missing) {
    await mkdir(folder, { mode: 0o700 }).catch(async (error: unknown) => {
      // Another process may have made it a moment ago.
      if (!(await isFolder(folder))) throw error
    })
  }
  return missing[0]
}

async function isFolder(path: string): Promise<boolean> {
  const found = await ifPresent(stat(path))
  return found?.isDirectory() ?? false
}
