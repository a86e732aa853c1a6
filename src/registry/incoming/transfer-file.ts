import type { BlobReader, BlobStore, DraftFollower } from '#blobs/store.ts'
import type { Digest } from '#names/digest.ts'
import { type BlockPool, type Piece, type ReadAt, SharedBlocks } from './blocks.ts'

interface Opened {
  readonly follower: DraftFollower
  readonly blocks: SharedBlocks
  /** No reader has bytes of it from here on. */
  used: number
}

/**
 * The one file of a transfer that all readers of this process share: its draft, and in the end the stored blob. A draft has another file
 * after another process took it over.
 */
export class TransferFile {
  readonly #blobs: BlobStore
  readonly #digest: Digest
  readonly #pool: BlockPool
  #upload: string | undefined
  #opening: Promise<void> | undefined
  #current: Opened | undefined
  /** Earlier files of the same draft that readers have bytes of. */
  #former: Opened[] = []
  #stored: { readonly reader: BlobReader; readonly blocks: SharedBlocks } | undefined

  constructor(blobs: BlobStore, digest: Digest, pool: BlockPool) {
    this.#blobs = blobs
    this.#digest = digest
    this.#pool = pool
  }

  /** Whether the store can follow drafts at all. Without that readers wait for the stored blob. */
  get canFollow(): boolean {
    return this.#blobs.followDraft !== undefined
  }

  /** The next read opens the newest file of that draft. */
  follow(upload: string): void {
    const { used = 0 } = this.#current ?? {}
    if (this.#upload !== upload) this.#drop()
    else if (this.#current !== undefined) used > 0 ? this.#former.push(this.#current) : close(this.#current)
    this.#current = undefined
    this.#upload = upload
  }

  /** Bytes of the draft; `undefined` where there is none to follow now. */
  async size(): Promise<number | undefined> {
    return (await this.#open())?.follower.size()
  }

  /** Bytes from `position`, and none from `end` on. None at all while the file has none there, such as while it is renamed or copied. */
  async read(position: number, end: number): Promise<Piece> {
    if (this.#stored !== undefined) return this.#stored.blocks.at(position, end)
    const opened = await this.#open()
    if (opened === undefined) return nothing
    opened.used = Math.max(opened.used, end)
    return opened.blocks.at(position, end)
  }

  /**
   * From here on bytes come from the stored blob. False if readers have other bytes: a client pushed the blob meanwhile, or one process took
   * the draft from another that was held up.
   */
  async store(reader: BlobReader): Promise<boolean> {
    const read = this.#current === undefined ? this.#former : [...this.#former, this.#current]
    this.#upload = undefined
    this.#current = undefined
    this.#former = []
    let same = true
    for (const opened of read) {
      same &&= opened.used === 0 || (await opened.follower.became(this.#digest)) || (await isStart(opened, reader))
      close(opened)
    }
    this.#stored = { reader, blocks: new SharedBlocks(readAtOf(reader), this.#pool) }
    return same
  }

  async close(): Promise<void> {
    this.#upload = undefined
    this.#drop()
    this.#stored?.blocks.close()
    await this.#stored?.reader.close()
    this.#stored = undefined
  }

  async #open(): Promise<Opened | undefined> {
    if (this.#current === undefined && this.#upload !== undefined) {
      this.#opening ??= this.#openNewest(this.#upload).finally(() => {
        this.#opening = undefined
      })
      await this.#opening
    }
    return this.#current
  }

  async #openNewest(upload: string): Promise<void> {
    const follower = await this.#blobs.followDraft?.(upload)
    if (follower === undefined) return
    const blocks = new SharedBlocks((into, position) => follower.read(into, position), this.#pool)
    const opened = { follower, blocks, used: 0 }
    if (upload === this.#upload) this.#current = opened
    else close(opened)
  }

  #drop(): void {
    for (const opened of this.#former) close(opened)
    if (this.#current !== undefined) close(this.#current)
    this.#former = []
    this.#current = undefined
  }
}

const nothing: Piece = { bytes: new Uint8Array(0), release: () => {} }
const comparedBytes = 1024 * 1024

/** In the background: it waits for reads that are under way. */
function close({ follower, blocks }: Opened): void {
  blocks.close()
  follower.close().catch(() => {})
}

/** Whether the bytes that readers may have are those of the blob. */
async function isStart({ follower, used }: Opened, reader: BlobReader): Promise<boolean> {
  const end = Math.min(used, reader.sizeBytes)
  const own = Buffer.allocUnsafe(comparedBytes)
  let position = 0
  for await (const chunk of reader.chunks({ start: 0, end })) {
    const count = await follower.read(own.subarray(0, chunk.byteLength), position)
    if (Buffer.compare(own.subarray(0, count), chunk) !== 0) return false
    position += count
  }
  return used <= reader.sizeBytes
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
