// Gathers the small chunks of a socket to large writes. At most two batches exist: one being written, one being gathered; who
// pushes waits while both are full. So memory is bounded, and whatever the pusher does meanwhile (hashing) costs no time.

/** Where a write stops being small; larger ones gained nothing. */
const batchBytes = 1024 * 1024
/** Linux gathers at most this many pieces in one write (IOV_MAX). It also bounds what a client of one-byte chunks costs. */
const batchChunks = 1024

export class Batches {
  readonly #write: (chunks: Uint8Array[], sizeBytes: number) => Promise<void>
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #writing: Promise<void> = Promise.resolve()

  /** `write` is called with one batch at a time, in order, and never again once it has failed. */
  constructor(write: (chunks: Uint8Array[], sizeBytes: number) => Promise<void>) {
    this.#write = write
  }

  /** A promise only when there is something to wait for. It rejects with the failure of an earlier write. */
  push(chunk: Uint8Array): Promise<void> | undefined {
    this.#gathered.push(chunk)
    this.#gatheredBytes += chunk.byteLength
    const full = this.#gatheredBytes >= batchBytes || this.#gathered.length >= batchChunks
    return full ? this.#startWrite() : undefined
  }

  /** Resolves when all that was pushed is written. Rejects, however often called, with the failure of any write. */
  async flush(): Promise<void> {
    if (this.#gathered.length > 0) await this.#startWrite()
    await this.#writing
  }

  async #startWrite(): Promise<void> {
    await this.#writing
    const writing = this.#write(this.#gathered, this.#gatheredBytes)
    writing.catch(() => {}) // Whoever pushes or flushes next awaits it; until then it is not unhandled.
    this.#writing = writing
    this.#gathered = []
    this.#gatheredBytes = 0
  }
}
