import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  access,
  constants,
  type FileHandle,
  open,
  opendir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeDurableFolder } from '#lib/durable-folder.ts'
import { makeFolders } from '#lib/make-folders.ts'
import { syncFolder } from '#lib/sync-folder.ts'
import { ifPresent } from '#lib/system-error.ts'
import { isBusy } from '#metadata/sqlite-dialect.ts'
import { blobName, blobsFolder, databaseFolder, manifestName, secretKeyName } from './format.ts'
import type { BackupSource, BackupTarget } from './places.ts'
import { refuse } from './refusals.ts'

/** At the end of a name that nothing is complete under. */
const unfinished = '.unfinished'

/** An empty file, which whoever backs up into the folder locks. */
const lockName = 'lock'

/**
 * A folder. Backups into the same one share its blobs: what is there is not copied again, and nothing is removed. The database of an
 * earlier backup goes once the new manifest has taken the place of its own, so that at any time one backup is complete. Only one is made
 * at a time, which therefore clears away what those that were cut short have left.
 *
 * @throws Refusal `BackupPlaceTaken` for a folder with something else in it, `BackupUnderWay`
 */
export async function folderTarget(path: string): Promise<BackupTarget> {
  const root = resolve(path)
  const ours = new Set([databaseFolder, blobsFolder, manifestName, secretKeyName, lockName])
  const names = (await ifPresent(readdir(root))) ?? []
  const found = names.find((name) => !ours.has(name) && !name.endsWith(unfinished))
  if (found !== undefined) throw refuse('BackupPlaceTaken', { path: root, found })
  await makeDurableFolder(root)
  await access(root, constants.W_OK)
  const lock = lockFolder(root)
  await removeUnfinished(root)
  const made = new Set<string>()
  let withKey = false
  const own = randomBytes(4).toString('hex')

  async function create(name: string, fill: (file: FileHandle) => Promise<boolean>): Promise<void> {
    const target = join(root, name)
    const folder = dirname(target)
    if (!made.has(folder)) await makeFolders(folder)
    made.add(folder)
    const temporary = `${target}.${own}${unfinished}`
    let whole = false
    try {
      await using file = await open(temporary, 'w', 0o600)
      whole = await fill(file)
      await file.sync()
    } catch (error) {
      // A disk that is full has no room for what is left of it.
      await rm(temporary, { force: true })
      throw error
    }
    await (whole ? rename(temporary, target) : rm(temporary))
  }

  const write: BackupTarget['write'] = (name, bytes) => {
    withKey ||= name === secretKeyName
    return create(name, async (file) => {
      await file.writeFile(bytes)
      return true
    })
  }

  return {
    write,
    read: (name) => readFile(join(root, name)),
    async holds(name, sizeBytes) {
      const stats = await ifPresent(stat(join(root, name)))
      return stats?.size === sizeBytes
    },
    writeBlob: (name, _, chunks, proved) =>
      create(name, async (file) => {
        for await (const chunk of chunks) await file.writeFile(chunk)
        return proved()
      }),
    async commit(manifest, run) {
      for (const folder of withAncestors(made, root)) await syncFolder(folder)
      await write(manifestName, manifest)
      await syncFolder(root)
      for (const other of (await ifPresent(readdir(join(root, databaseFolder)))) ?? []) {
        if (other !== run) await rm(join(root, databaseFolder, other), { recursive: true })
      }
      // That of an earlier backup would open this one.
      if (!withKey) await rm(join(root, secretKeyName), { force: true })
    },
    async [Symbol.asyncDispose]() {
      lock.close()
    },
  }
}

/**
 * Held until it is closed, or until the process ends in whatever way: a lock of the operating system, which Node has by SQLite alone.
 *
 * @throws Refusal `BackupUnderWay`
 */
function lockFolder(root: string): DatabaseSync {
  const lock = new DatabaseSync(join(root, lockName), { timeout: 0 })
  try {
    lock.exec('pragma journal_mode = memory')
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    throw isBusy(error) ? refuse('BackupUnderWay', { path: root }) : error
  }
}

async function removeUnfinished(root: string): Promise<void> {
  for await (const entry of await opendir(root, { recursive: true })) {
    if (entry.name.endsWith(unfinished)) await rm(join(entry.parentPath, entry.name))
  }
}

function withAncestors(folders: ReadonlySet<string>, root: string): Set<string> {
  const all = new Set<string>([root])
  for (const each of folders)
    for (let folder = each; folder.length > root.length; folder = dirname(folder)) all.add(folder)
  return all
}

export function folderSource(path: string): BackupSource {
  const root = resolve(path)
  return {
    async manifest() {
      const bytes = await ifPresent(readFile(join(root, manifestName)))
      if (bytes === undefined) throw refuse('BackupIncomplete', { path: root, problem: `it has no ${manifestName}` })
      return bytes
    },
    async *database(run) {
      const folder = join(root, databaseFolder, run)
      for (const file of ((await ifPresent(readdir(folder))) ?? [])
        .filter((name) => !name.endsWith(unfinished))
        .sort()) {
        yield { name: `${databaseFolder}/${run}/${file}`, bytes: await readFile(join(folder, file)) }
      }
    },
    async *blobs(wanted) {
      for await (const blob of wanted) {
        const file = join(root, blobName(blob.digest))
        const stats = await ifPresent(stat(file))
        if (stats !== undefined)
          yield { ...blob, sizeBytes: stats.size, chunks: () => createReadStream(file, { highWaterMark: 1024 * 1024 }) }
      }
    },
    secretKey: () => ifPresent(readFile(join(root, secretKeyName))),
    async [Symbol.asyncDispose]() {},
  }
}
