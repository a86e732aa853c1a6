import type { Writable } from 'node:stream'
import { flushed } from '#blobs/flushed.ts'
import type { BlobReader, ByteRange } from '#blobs/store.ts'
import type { Progress } from './progress.ts'

/** So many of a reader's last bytes wait until the content is proved and linked: a client never completes a body that is wrong. */
const heldBackBytes = 64 * 1024

/** Reads a blob while it arrives. A reader that is slow or leaves changes nothing for the transfer and for other readers. */
export class IncomingReader implements BlobReader {
  readonly sizeBytes: number
  readonly #progress: Progress
  readonly #closing = new AbortController()
  #closed: boolean = false

  constructor(progress: Progress, sizeBytes: number) {
    this.#progress = progress
    this.sizeBytes = sizeBytes
    progress.enter()
  }

  async sendTo(destination: Writable, range?: ByteRange): Promise<void> {
    const leaving = new AbortController()
    const onClose = () => leaving.abort(new Error('the destination closed before all was sent'))
    destination.once('close', onClose)
    if (destination.destroyed) onClose()
    try {
      for await (const piece of this.#pieces(range, AbortSignal.any([leaving.signal, this.#closing.signal])))
        await flushed(destination, piece)
    } finally {
      destination.off('close', onClose)
    }
  }

  async *chunks(range?: ByteRange): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of this.#pieces(range, this.#closing.signal)) yield Buffer.from(piece)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#closing.abort(new Error('the reader was closed'))
    await this.#progress.leave()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The bytes of a range as they arrive, each piece valid until the next is asked for. @throws what ended the transfer */
  async *#pieces(
    { start, end }: ByteRange = { start: 0, end: this.sizeBytes },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const progress = this.#progress
    const held = Math.max(start, end - heldBackBytes)
    let generation: number | undefined
    for (let position = start; position < end; ) {
      const bound = await progress.reached(position, { held, end }, signal)
      // The bytes that were sent belong to a transfer that started over.
      if (generation !== undefined && generation !== progress.generation) throw progress.broken()
      generation = progress.generation
      const piece = await progress.read(position, bound)
      let atRest = false
      try {
        if (generation !== progress.generation) throw progress.broken()
        position += piece.bytes.byteLength
        if (piece.bytes.byteLength > 0) yield piece.bytes
        // The consumer asks for more only after the destination has flushed these bytes.
        atRest = true
      } finally {
        piece.release(atRest)
      }
    }
    if (start === end) await progress.until(() => progress.isStored || undefined, signal)
  }
}
