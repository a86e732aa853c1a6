import { setTimeout as delay } from 'node:timers/promises'
import type { BlobReader, BlobStore } from '#blobs/store.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import { refuse } from '#registry/refusals.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import type { BlockPool, Piece } from './blocks.ts'
import { TransferFile } from './transfer-file.ts'

/** A file that is renamed or copied has its bytes after a moment. */
const againMs = 20

/**
 * How far a transfer is, as this process sees it. Readers wait here without timers and without queries.
 *
 *   waiting ──announce──> running ──store──> stored
 *      └──────────fail───────┴──────────────> failed
 */
export class Progress {
  readonly key: RepositoryKey
  readonly digest: Digest
  readonly #file: TransferFile
  readonly #waiting = new Set<() => void>()
  #upload: string | undefined
  #sizeBytes: number | undefined
  #available = 0
  #generation = 0
  #stored: boolean = false
  #failure: { readonly error: unknown } | undefined
  #ended: boolean = false
  #readers = 0

  constructor(key: RepositoryKey, digest: Digest, blobs: BlobStore, pool: BlockPool) {
    this.key = key
    this.digest = digest
    this.#file = new TransferFile(blobs, digest, pool)
  }

  /** Known once the source has answered, if the source or the descriptor says it. */
  get sizeBytes(): number | undefined {
    return this.#sizeBytes
  }

  /** Counts the times that the transfer started over with other bytes. A reader that has bytes of an earlier one cannot go on. */
  get generation(): number {
    return this.#generation
  }

  get isStored(): boolean {
    return this.#stored
  }

  /** Whether a reader in this process may want the next bytes. */
  get isRead(): boolean {
    return this.#readers > 0
  }

  /** The bytes are in the newest file of this upload. Those of another upload are other bytes. */
  attach(upload: string): void {
    if (this.#upload !== undefined && this.#upload !== upload) this.#generation += 1
    this.#upload = upload
    this.#available = 0
    this.#file.follow(upload)
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
    if (!(await this.#file.store(stored))) this.#generation += 1
    this.#sizeBytes = stored.sizeBytes
    this.#stored = true
    await this.#end()
  }

  async fail(error: unknown): Promise<void> {
    this.#failure = { error }
    await this.#end()
  }

  /** Bytes in the newest file of the draft; `undefined` where there is none to follow. */
  fileSize(): Promise<number | undefined> {
    return this.#file.size()
  }

  /** Resolves once `done` gives something. @throws what ended the transfer; the signal's reason */
  async until<T>(done: () => T | undefined, signal?: AbortSignal): Promise<T> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure.error
      const value = done()
      if (value !== undefined) return value
      await this.#changed(signal)
    }
  }

  /** How many bytes are there, once there are more than `position`; before the proof none from `held` on. */
  reached(position: number, { held, end }: { held: number; end: number }, signal: AbortSignal): Promise<number> {
    return this.until(() => {
      if (this.#stored) return end
      const bound = this.#file.canFollow ? Math.min(this.#available, held) : 0
      return bound > position ? bound : undefined
    }, signal)
  }

  /** Bytes from `position`, and none from `end` on. There may be none yet. */
  async read(position: number, end: number): Promise<Piece> {
    const piece = await this.#file.read(position, end)
    if (piece.bytes.byteLength === 0) await delay(againMs)
    return piece
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

  /** Resolves after the next change, or when the signal is aborted. */
  #changed(signal?: AbortSignal): Promise<void> {
    return new Promise<void>((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  async #end(): Promise<void> {
    this.#ended = true
    this.#wake()
    await this.#closeAtEnd()
  }

  async #closeAtEnd(): Promise<void> {
    if (this.#ended && this.#readers === 0) await this.#file.close()
  }
}
