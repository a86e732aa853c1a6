/** Fills `into` with the bytes from `position`, and returns how many there were. */
export type ReadAt = (into: Uint8Array, position: number) => Promise<number>

interface Block {
  readonly bytes: Uint8Array
  filled: number
  filling: Promise<void> | undefined
}

const blockBytes = 256 * 1024
/** Readers further apart than this read the file again. */
const keptBlocks = 8

/**
 * The bytes of one transfer in blocks that all its readers share: those at about the same place read the file once. A block's memory is
 * not used again, since a slow destination may still hold it.
 */
export class SharedBlocks {
  readonly #read: ReadAt
  /** The last used block comes last. */
  readonly #blocks = new Map<number, Block>()

  constructor(read: ReadAt) {
    this.#read = read
  }

  /** Bytes from `position`, and none from `end` on. None at all where the file ends before: it is a copy that grows, or damaged. */
  async at(position: number, end: number): Promise<Uint8Array> {
    const index = Math.floor(position / blockBytes)
    const start = index * blockBytes
    const wanted = Math.min(end - start, blockBytes)
    const block = this.#blockOf(index)
    while (block.filled <= position - start) {
      const before = block.filled
      block.filling ??= this.#fill(block, start, wanted)
      await block.filling
      if (block.filled === before) return block.bytes.subarray(0, 0)
    }
    return block.bytes.subarray(position - start, Math.min(wanted, block.filled))
  }

  async #fill(block: Block, start: number, wanted: number): Promise<void> {
    try {
      block.filled += await this.#read(block.bytes.subarray(block.filled, wanted), start + block.filled)
    } finally {
      block.filling = undefined
    }
  }

  #blockOf(index: number): Block {
    const block = this.#blocks.get(index) ?? { bytes: new Uint8Array(blockBytes), filled: 0, filling: undefined }
    this.#blocks.delete(index)
    this.#blocks.set(index, block)
    if (this.#blocks.size > keptBlocks) {
      const [oldest = index] = this.#blocks.keys()
      this.#blocks.delete(oldest)
    }
    return block
  }
}
