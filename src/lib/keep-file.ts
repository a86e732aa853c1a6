import { randomBytes } from 'node:crypto'
import { constants, copyFile, link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from './sync-folder.ts'
import { hasCode } from './system-error.ts'

/**
 * Gives that path this content, for its owner alone, unless it has some. However many processes do so at once, one of them is the first,
 * and what it wrote survives power loss once any of them is answered.
 */
export async function keepFile(path: string, content: string): Promise<void> {
  const own = `${path}.${randomBytes(6).toString('hex')}`
  try {
    {
      await using file = await open(own, 'wx', 0o600)
      await file.writeFile(content)
      await file.sync()
    }
    // Only a file that is whole gets the name, and only the first.
    await addName(own, path).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  } finally {
    await rm(own, { force: true })
  }
  await syncFolder(dirname(path))
}

/** Another name for the same bytes; where the file system has no such thing, a copy. */
async function addName(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL)
    await using file = await open(to, 'r')
    await file.sync()
  }
}
