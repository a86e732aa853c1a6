/** Fills `into` with the bytes from `position`, and returns how many there were. */
export type ReadAt = (into: Uint8Array, position: number) => Promise<number>

/** Bytes that the holder may read until it releases them. */
export interface Piece {
  readonly bytes: Uint8Array
  /** `atRest` once nothing reads them any more, so that their memory may be used again. */
  release(atRest: boolean): void
}

/** A destination that is slow holds one of these. Smaller ones cost more writes for each reader. */
const blockBytes = 128 * 1024
/** Readers of a transfer that are further apart than this read the file again. */
const keptBlocks = 16
/** Blocks that wait for the next use, over all transfers. */
const pooledBlocks = 64

/** Memory of blocks that are not in use. Left to the collector, each would be fresh, and much of it would be held at any time. */
export class BlockPool {
  readonly #free: Uint8Array[] = []

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
  }

  give(block: Uint8Array): void {
    if (this.#free.length < pooledBlocks) this.#free.push(block)
  }
}

interface Block {
  readonly bytes: Uint8Array
  filled: number
  filling: Promise<void> | undefined
  /** Holders of pieces, and readers that wait for them. */
  users: number
  /** A destination that failed may still read it. */
  lost: boolean
  evicted: boolean
}

/** The bytes of one file in blocks that all readers of a transfer share: those at about the same place read the file once. */
export class SharedBlocks {
  readonly #read: ReadAt
  readonly #pool: BlockPool
  /** The last used block comes last. */
  readonly #blocks = new Map<number, Block>()

  constructor(read: ReadAt, pool: BlockPool) {
    this.#read = read
    this.#pool = pool
  }

  /** Bytes from `position`, and none from `end` on. None at all where the file ends before: it is a copy that grows, or damaged. */
  async at(position: number, end: number): Promise<Piece> {
    const index = Math.floor(position / blockBytes)
    const start = index * blockBytes
    const wanted = Math.min(end - start, blockBytes)
    const block = this.#blockOf(index)
    block.users += 1
    const release = (atRest: boolean) => this.#release(block, atRest)
    try {
      for (let before = -1; block.filled <= position - start && block.filled > before; ) {
        before = block.filled
        block.filling ??= this.#fill(block, start, wanted)
        await block.filling
      }
    } catch (error) {
      release(true)
      throw error
    }
    const last = Math.max(position - start, Math.min(wanted, block.filled))
    return { bytes: block.bytes.subarray(position - start, last), release }
  }

  /** Gives back what is not in use. */
  close(): void {
    for (const block of this.#blocks.values()) this.#evict(block)
    this.#blocks.clear()
  }

  async #fill(block: Block, start: number, wanted: number): Promise<void> {
    try {
      block.filled += await this.#read(block.bytes.subarray(block.filled, wanted), start + block.filled)
    } finally {
      block.filling = undefined
    }
  }

  #blockOf(index: number): Block {
    const block = this.#blocks.get(index) ?? {
      bytes: this.#pool.take(),
      filled: 0,
      filling: undefined,
      users: 0,
      lost: false,
      evicted: false,
    }
    this.#blocks.delete(index)
    this.#blocks.set(index, block)
    if (this.#blocks.size > keptBlocks) {
      const [oldest = index] = this.#blocks.keys()
      const old = this.#blocks.get(oldest)
      this.#blocks.delete(oldest)
      if (old !== undefined) this.#evict(old)
    }
    return block
  }

  #evict(block: Block): void {
    block.evicted = true
    this.#giveBack(block)
  }

  #release(block: Block, atRest: boolean): void {
    block.users -= 1
    block.lost ||= !atRest
    this.#giveBack(block)
  }

  #giveBack(block: Block): void {
    if (block.evicted && block.users === 0 && !block.lost) this.#pool.give(block.bytes)
  }
}
