// The file driver: blobs and drafts in one folder of a local or shared file system, which any number of processes may use at
// once. A blob's name appears by one rename of a file that is already proved and fsynced, and counts once its folder is too.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import {
  access,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BoundedMap } from '#lib/bounded-map.ts'
import { makeDurableFolder } from '#lib/durable-folder.ts'
import { keepFile } from '#lib/keep-file.ts'
import { syncFolder } from '#lib/sync-folder.ts'
import { hasCode, ifPresent } from '#lib/system-error.ts'
import { type Digest, digestAlgorithm, digestAlgorithms, digestHex } from '#names/digest.ts'
import { type DraftHome, type DraftState, FileDraft } from './file-draft.ts'
import { FileDraftFollower } from './file-draft-follower.ts'
import { listBlobs, listDrafts, uuid } from './file-listing.ts'
import { BufferPool, FileBlobReader } from './file-reader.ts'
import { type Hold, Holds } from './holds.ts'
import type {
  BlobReader,
  BlobStore,
  Draft,
  DraftFollower,
  DraftFollowing,
  ResumeOptions,
  StoredContent,
  StoredDraft,
} from './store.ts'

const draftFile = /^[0-9]+-[0-9a-f]+$/

/** How many drafts between two requests keep their running hash; of others the file is read once more. */
const rememberedDrafts = 1024
/** Pairs of 1 MiB buffers kept for the next reader. */
const pooledPairs = 8

/** A draft's file, open, of this store's own name. */
interface Taken {
  readonly file: FileHandle
  readonly path: string
  /** Earlier files of the draft, which it takes the place of. */
  readonly others: readonly string[]
}

/**
 * ```
 * <root>/
 *   sha256/
 *     ab/
 *       abcdef…                      a blob, named by all 64 digits
 *   sha512/
 *     …                              the same, with 128 digits
 *   quarantine/
 *     sha256-abcdef….<random>          content that was put aside, for people alone; made when it is needed
 *   store-id                         which store it is, for a database that must not take another's for its own
 *   drafts/
 *     5d6b4c5e-…/                    an upload id
 *       <generation>-<store>         its bytes: who took the draft how many takeovers after the first
 * ```
 *
 * A store opens, writes and publishes only files that bear its own name, and never gives a name twice to different content. Who
 * takes a draft from another store gives it (or a copy) a name of its own in the next generation, then removes the other. So a
 * file that is found under its remembered name was touched by nobody, its remembered hash is true, and a process that was thought
 * dead cannot publish what somebody else is writing: its rename finds no file.
 */
export class FileBlobStore implements BlobStore, DraftFollowing {
  readonly #root: string
  readonly #name = randomBytes(6).toString('hex')
  readonly #holds = new Holds()
  readonly #recent = new BoundedMap<string, DraftState>(rememberedDrafts)
  readonly #buffers = new BufferPool(pooledPairs)
  readonly #durableFolders = new Set<string>()
  readonly #home: DraftHome = {
    buffers: this.#buffers,
    publish: (path, digest) => this.#publish(path, digest),
    remember: (id, state) => void this.#recent.set(id, state),
    forget: (id) => this.#forget(id),
  }

  private constructor(root: string) {
    this.#root = root
  }

  /** The store in that folder, which is made if missing. */
  static async open(root: string): Promise<FileBlobStore> {
    const absolute = resolve(root)
    for (const folder of [...digestAlgorithms, 'drafts']) await makeDurableFolder(join(absolute, folder))
    return new FileBlobStore(absolute)
  }

  async id(): Promise<string | undefined> {
    const path = this.#idPath()
    const id = (await ifPresent(readFile(path, 'utf8')))?.trim()
    if (id !== undefined && !uuid.test(id)) throw new Error(`${path} does not hold a UUID`)
    return id
  }

  async keepId(id: string): Promise<string> {
    await keepFile(this.#idPath(), `${id}\n`)
    const kept = await this.id()
    if (kept === undefined) throw new Error(`${this.#idPath()} is gone`)
    return kept
  }

  /** Opens the folder, which fails while the process has no descriptor left for a blob. */
  async check(): Promise<void> {
    const folder = join(this.#root, 'drafts')
    await access(folder, constants.W_OK)
    const file = await open(folder, constants.O_RDONLY)
    await file.close()
  }

  createDraft(id: string, confirm?: () => Promise<void>): Promise<Draft> {
    return this.#whileHeld(id, async (hold) => {
      const begun = await this.#begin(id)
      await this.#settle(id, begun, confirm)
      return new FileDraft(this.#home, hold, begun.file, { path: begun.path, size: 0, hash: undefined })
    })
  }

  resumeDraft(id: string, { offset, fresh, confirm }: ResumeOptions): Promise<Draft | undefined> {
    return this.#whileHeld(id, async (hold, recent) => {
      const own = recent !== undefined && !fresh ? await openIfPresent(recent.path, 'r+') : undefined
      if (recent !== undefined && own !== undefined) {
        await closingOnFailure(own, Promise.resolve(confirm?.()))
        return this.#continue(hold, own, recent, offset)
      }
      const adopted = await this.#adopt(id, offset, fresh)
      if (adopted === undefined) return undefined
      await this.#settle(id, adopted, confirm)
      return this.#continue(hold, adopted.file, { path: adopted.path, size: 0, hash: undefined }, offset)
    })
  }

  async discardDraft(id: string): Promise<void> {
    await this.#whileHeld(id, async () => {
      const folder = this.#draftFolder(id)
      for (const name of (await ifPresent(readdir(folder))) ?? []) await rm(join(folder, name), { force: true })
      await this.#forget(id)
      return undefined
    })
  }

  async followDraft(id: string): Promise<DraftFollower | undefined> {
    assert(uuid.test(id), 'an upload id is a lower-case UUID')
    const newest = (await this.#generations(id)).at(-1)
    const file = newest && (await openIfPresent(newest.path, 'r'))
    return file && new FileDraftFollower(file, (digest) => this.#blobPath(digest))
  }

  async stat(digest: Digest): Promise<StoredContent | undefined> {
    const stats = await ifPresent(stat(this.#blobPath(digest)))
    return stats && contentOf(stats)
  }

  async open(digest: Digest): Promise<BlobReader | undefined> {
    const file = await openIfPresent(this.#blobPath(digest), 'r')
    if (file === undefined) return undefined
    const { size } = await closingOnFailure(file, file.stat())
    return new FileBlobReader(file, size, this.#buffers)
  }

  async delete(digest: Digest): Promise<void> {
    await ifPresent(unlink(this.#blobPath(digest)))
  }

  async setAside(digest: Digest, reader: BlobReader): Promise<boolean> {
    assert(reader instanceof FileBlobReader, 'a reader is one of this store')
    const path = this.#blobPath(digest)
    if (!(await isRead(path, reader))) return false
    const folder = join(this.#root, 'quarantine')
    await makeDurableFolder(folder)
    const aside = join(folder, `${digest.replace(':', '-')}.${randomBytes(6).toString('hex')}`)
    if ((await ifPresent(rename(path, aside).then(() => true))) === undefined) return false
    const isThat = await isRead(aside, reader)
    // The blob was stored anew in that very moment. Should it be so once more by now, the two are the same.
    if (!isThat) await rename(aside, path)
    await syncFolder(dirname(path))
    await syncFolder(folder)
    return isThat
  }

  list(): AsyncIterable<readonly Digest[]> {
    return listBlobs(this.#root)
  }

  listDrafts(): AsyncIterable<StoredDraft> {
    return listDrafts(join(this.#root, 'drafts'))
  }

  /** Runs `work` as the only holder; the hold goes on with the draft it returns, and ends here if it returns none. */
  async #whileHeld<T extends Draft | undefined>(
    id: string,
    work: (hold: Hold, recent: DraftState | undefined) => Promise<T>,
  ): Promise<T> {
    assert(uuid.test(id), 'an upload id is a lower-case UUID')
    const hold = await this.#holds.take(id)
    let draft: T | undefined
    const recent = this.#recent.get(id)
    this.#recent.delete(id)
    try {
      draft = await work(hold, recent)
      return draft
    } finally {
      if (draft === undefined) hold.release()
    }
  }

  async #continue(hold: Hold, file: FileHandle, { path, ...recent }: DraftState, offset: number): Promise<Draft> {
    const cut = async () => {
      const { size } = await file.stat()
      if (size > offset) await file.truncate(offset)
      return Math.min(size, offset)
    }
    const size = await closingOnFailure(file, cut())
    return new FileDraft(this.#home, hold, file, { path, size, hash: recent.size === size ? recent.hash : undefined })
  }

  /** A new file of this store, beside whatever stands there. */
  async #begin(id: string): Promise<Taken> {
    for (;;) {
      const left = (await isMade(this.#draftFolder(id))) ? [] : await this.#generations(id)
      const path = this.#nextPath(id, left)
      const file = await openIfPresent(path, 'wx+').catch(async (error) => {
        await this.#forget(id)
        throw error
      })
      // Without the folder: another store has just removed it.
      if (file !== undefined) return { file, path, others: left.map((other) => other.path) }
    }
  }

  /** Makes what others left of a draft a file of this store. */
  async #adopt(id: string, offset: number, fresh: boolean): Promise<Taken | undefined> {
    for (;;) {
      const left = await this.#generations(id)
      // A copy that a crash cut short is newer, but too short, and what it was made from is still there.
      const best = left.findLast(({ size }) => size >= offset) ?? left.toSorted((a, b) => a.size - b.size).at(-1)
      if (best === undefined) return undefined
      const path = this.#nextPath(id, left)
      await ifPresent(fresh ? copy(best.path, path) : addName(best.path, path))
      const file = await openIfPresent(path, 'r+')
      // Without one somebody else took it meanwhile: look again.
      if (file !== undefined) return { file, path, others: left.map((other) => other.path) }
    }
  }

  /**
   * Removes what others left, once it is sure that the draft is this store's to go on with. A process that was held up before it
   * came here may be late: then another has gone on meanwhile, with bytes that it has acknowledged.
   */
  async #settle(id: string, { file, path, others }: Taken, confirm?: () => Promise<void>): Promise<void> {
    try {
      await confirm?.()
    } catch (error) {
      await file.close()
      await ifPresent(unlink(path))
      await this.#forget(id)
      throw error
    }
    for (const other of others) await closingOnFailure(file, rm(other, { force: true }))
  }

  #nextPath(id: string, left: readonly { readonly generation: number }[]): string {
    const next = Math.max(-1, ...left.map(({ generation }) => generation)) + 1
    return join(this.#draftFolder(id), `${next}-${this.#name}`)
  }

  async #generations(id: string): Promise<{ path: string; generation: number; size: number }[]> {
    const folder = this.#draftFolder(id)
    const found = []
    for (const name of (await ifPresent(readdir(folder))) ?? []) {
      if (!draftFile.test(name)) continue // Such as what NFS keeps of a file that was removed while open.
      const path = join(folder, name)
      const stats = await ifPresent(stat(path))
      if (stats) found.push({ path, generation: Number.parseInt(name, 10), size: stats.size })
    }
    return found.sort((a, b) => a.generation - b.generation)
  }

  /** Replaces a blob of the same digest: both are proved to be the same bytes, and an open reader keeps the file it has. */
  async #publish(path: string, digest: Digest): Promise<void> {
    const target = this.#blobPath(digest)
    const folder = dirname(target)
    if (!this.#durableFolders.has(folder)) {
      await makeDurableFolder(folder)
      this.#durableFolders.add(folder)
    }
    try {
      await rename(path, target)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      // The folder may have been removed since it was made. If it is the draft that is gone, the second time fails as the first did.
      await makeDurableFolder(folder)
      await rename(path, target)
    }
    await syncFolder(folder)
  }

  async #forget(id: string): Promise<void> {
    try {
      await ifPresent(rmdir(this.#draftFolder(id)))
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY')) throw error // Otherwise another store took the draft, and removes it in the end.
    }
  }

  #blobPath(digest: Digest): string {
    const hex = digestHex(digest)
    return join(this.#root, digestAlgorithm(digest), hex.slice(0, 2), hex)
  }

  #idPath(): string {
    return join(this.#root, 'store-id')
  }

  #draftFolder(id: string): string {
    return join(this.#root, 'drafts', id)
  }
}

/** A rename counts as a change of the file. */
function contentOf({ size, ctimeMs }: Stats): StoredContent {
  return { sizeBytes: size, storedAt: ctimeMs }
}

async function isRead(path: string, reader: FileBlobReader): Promise<boolean> {
  const stats = await ifPresent(stat(path, { bigint: true }))
  return stats !== undefined && reader.reads(stats)
}

/** Whether the folder is new. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder)
    return true
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    return false
  }
}

function openIfPresent(path: string, flags: 'r' | 'r+' | 'wx+'): Promise<FileHandle | undefined> {
  return ifPresent(open(path, flags))
}

async function closingOnFailure<T>(file: FileHandle, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Another name for the same bytes; where the file system has no such thing, a copy. */
async function addName(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw error
    await copy(from, to)
  }
}

/** A clone where the file system can; a copy elsewhere. */
function copy(from: string, to: string): Promise<void> {
  return copyFile(from, to, constants.COPYFILE_FICLONE)
}
