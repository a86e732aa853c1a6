/**
 * Cuts a source into sections of some bytes or some milliseconds. After each section its bytes are written, so that readers see them soon,
 * however slowly the source sends. A read that is interrupted leaves the source alone.
 */
export class Sections {
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal
  #pending: Promise<IteratorResult<Uint8Array>> | undefined
  #ended: boolean = false

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#iterator = source[Symbol.asyncIterator]()
    this.#signal = signal
  }

  /** Whether the source has no more bytes. */
  get ended(): boolean {
    return this.#ended
  }

  /** The chunks of the next section. @throws the source's own error; the signal's reason */
  async *next(): AsyncGenerator<Uint8Array, void, void> {
    let left = sectionBytes
    let deadline = Number.POSITIVE_INFINITY
    while (left > 0) {
      const result = await this.#read(deadline)
      if (result === 'late') return
      if (result.done) {
        this.#ended = true
        return
      }
      if (left === sectionBytes) deadline = performance.now() + sectionMs
      left -= result.value.byteLength
      yield result.value
    }
  }

  /** Ends the source, in the background: one that sends nothing may answer late or never. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#iterator.return?.().catch(() => {})
  }

  /** The next chunk, unless it comes after the deadline: then it stays for the next section. */
  #read(deadline: number): Promise<IteratorResult<Uint8Array> | 'late'> {
    this.#pending ??= this.#iterator.next()
    const pending = this.#pending
    return new Promise((resolve, reject) => {
      const wait = deadline - performance.now()
      const timer = Number.isFinite(wait)
        ? setTimeout(() => settle(() => resolve('late')), Math.max(0, wait))
        : undefined
      const onAbort = () => settle(() => reject(this.#signal.reason))
      let settled = false
      const settle = (end: () => void) => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        this.#signal.removeEventListener('abort', onAbort)
        end()
      }
      const take = (end: () => void) =>
        settle(() => {
          this.#pending = undefined
          end()
        })
      this.#signal.addEventListener('abort', onAbort)
      if (this.#signal.aborted) onAbort()
      pending.then(
        (result) => take(() => resolve(result)),
        (error: unknown) => take(() => reject(error)),
      )
    })
  }
}

/** A reader gets at most so much at once. */
const sectionBytes = 256 * 1024
/** So long a byte waits for others at most. */
const sectionMs = 40
