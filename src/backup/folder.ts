import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeFolders } from '#lib/make-folders.ts'
import { syncFolder } from '#lib/sync-folder.ts'
import { ifPresent } from '#lib/system-error.ts'
import { blobName, blobsFolder, databaseFolder, manifestName, secretKeyName } from './format.ts'
import type { BackupSource, BackupTarget } from './places.ts'
import { refuse } from './refusals.ts'

/** At the end of a name that nothing is complete under. */
const unfinished = '.unfinished'

/**
 * A folder. Backups into the same one share its blobs: what is there is not copied again, and nothing is removed. The database of an
 * earlier backup goes once the new manifest has taken the place of its own, so that at any time one backup is complete.
 *
 * @throws Refusal `BackupPlaceTaken` for a folder with something else in it
 */
export async function folderTarget(path: string): Promise<BackupTarget> {
  const root = resolve(path)
  const ours = new Set([databaseFolder, blobsFolder, manifestName, secretKeyName])
  const names = (await ifPresent(readdir(root))) ?? []
  const found = names.find((name) => !ours.has(name) && !name.endsWith(unfinished))
  if (found !== undefined) throw refuse('BackupPlaceTaken', { path: root, found })
  await makeFolders(root)
  const made = new Set<string>()
  const own = randomBytes(4).toString('hex')

  async function create(name: string, fill: (file: FileHandle) => Promise<boolean>): Promise<void> {
    const target = join(root, name)
    const folder = dirname(target)
    if (!made.has(folder)) await makeFolders(folder)
    made.add(folder)
    const temporary = `${target}.${own}${unfinished}`
    let whole: boolean
    {
      await using file = await open(temporary, 'w', 0o600)
      whole = await fill(file)
      await file.sync()
    }
    await (whole ? rename(temporary, target) : rm(temporary))
  }

  const write: BackupTarget['write'] = (name, bytes) =>
    create(name, async (file) => {
      await file.writeFile(bytes)
      return true
    })

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
      // A run that began later may be another backup's, which is not complete yet.
      for (const other of await readdir(join(root, databaseFolder))) {
        if (other < run) await rm(join(root, databaseFolder, other), { recursive: true })
      }
    },
    async [Symbol.asyncDispose]() {},
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
