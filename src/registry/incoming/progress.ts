import { setTimeout as delay } from 'node:timers/promises'
import type { BlobReader, BlobStore, DraftFollower } from '#blobs/store.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import { refuse } from '#registry/refusals.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { type ReadAt, SharedBlocks } from './blocks.ts'

/**
 * How far a transfer is, as this process sees it, and the bytes that are there. One transfer has one open file and one set of blocks,
 * however many readers it has. Readers wait here without timers and without queries.
 *
 *   waiting ──announce──> running ──store──> stored
 *      └──────────fail───────┴──────────────> failed
 */
export class Progress {
  readonly key: RepositoryKey
  readonly digest: Digest
  readonly #blobs: BlobStore
  readonly #waiting = new Set<() => void>()
  #sizeBytes: number | undefined
  #available = 0
  #upload: string | undefined
  /** Counts the times that the transfer started over with other bytes. */
  #generation = 0
  #file: OpenFile | undefined
  #stored: BlobReader | undefined
  #failure: { readonly error: unknown } | undefined
  #readers = 0
  #ended: boolean = false

  constructor(key: RepositoryKey, digest: Digest, blobs: BlobStore) {
    this.key = key
    this.digest = digest
    this.#blobs = blobs
  }

  get sizeBytes(): number | undefined {
    return this.#sizeBytes
  }

  get generation(): number {
    return this.#generation
  }

  get isStored(): boolean {
    return this.#stored !== undefined
  }

  /** Whether a reader in this process may want the next bytes. */
  get isRead(): boolean {
    return this.#readers > 0
  }

  /** The bytes are in the draft of this upload. With another upload than before they are other bytes. */
  attach(upload: string): void {
    if (this.#upload !== undefined && this.#upload !== upload) {
      this.#generation += 1
      this.#available = 0
    }
    this.#upload = upload
    this.reopen()
  }

  /** The source has answered. */
  announce(sizeBytes: number): void {
    if (this.#sizeBytes === sizeBytes) return
    this.#sizeBytes = sizeBytes
    this.#wake()
  }

  advance(available: number): void {
    if (available <= this.#available) return
    this.#available = available
    this.#wake()
  }

  /** The blob is proved and linked. What readers lack comes from `stored`, which is closed with the last of them. */
  async store(stored: BlobReader): Promise<void> {
    this.#stored = stored
    this.#sizeBytes = stored.sizeBytes
    this.#replaceFile({ read: readAtOf(stored), close: () => stored.close() })
    await this.#end()
  }

  async fail(error: unknown): Promise<void> {
    this.#failure = { error }
    await this.#end()
  }

  /** The next read opens the file that is the newest by then. */
  reopen(): void {
    this.#replaceFile(undefined)
  }

  /** Bytes in the newest file of the draft; `undefined` where none can be followed. */
  async followedSize(): Promise<number | undefined> {
    const file = await this.#open()
    return file?.size?.()
  }

  /** Resolves after the next change. */
  async changed(signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake)
      if (signal?.aborted) wake()
    })
    signal?.throwIfAborted()
  }

  /** Resolves once `done` gives something. @throws what ended the transfer */
  async until<T>(done: () => T | undefined, signal?: AbortSignal): Promise<T> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const value = done()
      if (value !== undefined) return value
      await this.changed(signal)
    }
  }

  /** How many bytes are there, once there are more than `position`; of unproved bytes none from `held` on. */
  reached(position: number, { held, end }: { held: number; end: number }, signal?: AbortSignal): Promise<number> {
    return this.until(() => {
      if (this.#stored !== undefined) return end
      const bound = this.#blobs.followDraft === undefined ? 0 : Math.min(this.#available, held)
      return bound > position ? bound : undefined
    }, signal)
  }

  /** At least one byte from `position`. */
  async read(position: number, end: number): Promise<Uint8Array> {
    for (;;) {
      const file = await this.#open()
      if (file === undefined) {
        // A process that takes the draft over, or commits it, renames its file: the next look finds it.
        if (this.#failure !== undefined) throw this.#failure.error
        await delay(renamedMs)
        continue
      }
      try {
        return await file.blocks.at(position, end)
      } catch (error) {
        // Another file took its place during the read.
        if (file !== this.#file) continue
        throw error
      }
    }
  }

  broken(): Refusal {
    return refuse('IncomingBlobBroken', { ...inRepository(this.key), digest: this.digest })
  }

  enter(): void {
    this.#readers += 1
  }

  async leave(): Promise<void> {
    this.#readers -= 1
    await this.#closeAtEnd()
  }

  async #open(): Promise<OpenFile | undefined> {
    if (this.#file !== undefined) return this.#file
    const upload = this.#upload
    if (upload === undefined) return undefined
    const follower = await this.#blobs.followDraft?.(upload)
    // Another reader opened it meanwhile, or the transfer has moved on.
    if (this.#file !== undefined || upload !== this.#upload || this.#isOver()) {
      await follower?.close()
      return this.#file
    }
    if (follower !== undefined) this.#replaceFile(fileOf(follower))
    return this.#file
  }

  #replaceFile(file: Omit<OpenFile, 'blocks'> | undefined): void {
    const before = this.#file
    this.#file = file && { ...file, blocks: new SharedBlocks(file.read) }
    // Closing waits for reads that are under way.
    before?.close().catch(() => {})
  }

  #isOver(): boolean {
    return this.#ended && this.#readers === 0
  }

  async #end(): Promise<void> {
    this.#ended = true
    this.#wake()
    await this.#closeAtEnd()
  }

  async #closeAtEnd(): Promise<void> {
    if (!this.#isOver()) return
    const file = this.#file
    this.#file = undefined
    this.#upload = undefined
    await file?.close()
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

const renamedMs = 20

interface OpenFile {
  readonly read: ReadAt
  readonly size?: () => Promise<number>
  readonly close: () => Promise<void>
  readonly blocks: SharedBlocks
}

function fileOf(follower: DraftFollower): Omit<OpenFile, 'blocks'> {
  return {
    read: (into, position) => follower.read(into, position),
    size: () => follower.size(),
    close: () => follower.close(),
  }
}

function readAtOf(reader: BlobReader): ReadAt {
  return async (into, position) => {
    let filled = 0
    for await (const chunk of reader.chunks({ start: position, end: position + into.length })) {
      into.set(chunk, filled)
      filled += chunk.byteLength
    }
    return filled
  }
}
