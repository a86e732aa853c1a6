// Reading a file by large pieces into memory that is used again, the next piece arriving while the present one is dealt with.
// Hot path, measured by the benchmarks "blob GET" and "blob pull": keep it flat.

import assert from 'node:assert/strict'
import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { flushed } from './flushed.ts'
import type { BlobReader, ByteRange } from './store.ts'

const pieceBytes = 1024 * 1024
/** For those who come when many are reading already: slower, and no matter how many stall. */
const smallPieceBytes = 64 * 1024
/** So many readers have large pieces at once, 96 MiB in all. */
const mostLarge = 48

/** Buffers to read into: a pair of 1 MiB while not too many are out, or as much as a smaller read needs. Keeps a bounded number. */
export class BufferPool {
  readonly #limit: number
  readonly #pairs: (readonly Buffer[])[] = []
  #largeOut = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** To be given back on every path. */
  take(sizeBytes: number): readonly Buffer[] {
    if (sizeBytes <= smallPieceBytes) return [Buffer.allocUnsafe(sizeBytes)]
    if (this.#largeOut >= mostLarge) return [Buffer.allocUnsafe(smallPieceBytes), Buffer.allocUnsafe(smallPieceBytes)]
    this.#largeOut += 1
    return this.#pairs.pop() ?? [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)]
  }

  /** `atRest` if nobody reads or fills them any more, so that they may be used again. */
  give(buffers: readonly Buffer[], { atRest }: { atRest: boolean }): void {
    if (buffers[0]?.length !== pieceBytes) return
    this.#largeOut -= 1
    if (atRest && this.#pairs.length < this.#limit) this.#pairs.push(buffers)
  }
}

/**
 * The bytes of a range, in pieces that are valid until the next one is asked for. `buffers` are from `BufferPool.take` for
 * that range.
 *
 * @throws when the file ends before the range does: then it is damaged, and must not pass for whole
 */
export async function* pieces(
  file: FileHandle,
  { start, end }: ByteRange,
  buffers: readonly Buffer[],
): AsyncGenerator<Buffer, void, void> {
  if (start === end) return
  let turn = 0
  let ahead = readPiece(file, buffers, turn, start, end)
  try {
    for (let position = start; position < end; ) {
      const piece = await ahead
      position += piece.length
      turn += 1
      if (position < end) {
        ahead = readPiece(file, buffers, turn, position, end)
        ahead.catch(() => {}) // Awaited in the next turn; until then it is not unhandled.
      }
      yield piece
    }
  } finally {
    await ahead.catch(() => {}) // The consumer stopped or the read failed: either way the buffers are at rest now.
  }
}

async function readPiece(
  file: FileHandle,
  buffers: readonly Buffer[],
  turn: number,
  position: number,
  end: number,
): Promise<Buffer> {
  const buffer = buffers[turn % buffers.length]
  assert(buffer)
  const wanted = Math.min(buffer.length, end - position)
  let filled = 0
  while (filled < wanted) {
    const { bytesRead } = await file.read(buffer, filled, wanted - filled, position + filled)
    if (bytesRead === 0) throw new Error(`a stored file ends at byte ${position + filled}, before byte ${end}`)
    filled += bytesRead
  }
  return buffer.subarray(0, wanted)
}

export class FileBlobReader implements BlobReader {
  readonly sizeBytes: number
  readonly #file: FileHandle
  readonly #buffers: BufferPool

  constructor(file: FileHandle, sizeBytes: number, buffers: BufferPool) {
    this.#file = file
    this.sizeBytes = sizeBytes
    this.#buffers = buffers
  }

  async sendTo(destination: Writable, range?: ByteRange): Promise<void> {
    const { start, end } = this.#within(range)
    const buffers = this.#buffers.take(end - start)
    let atRest = false
    try {
      for await (const piece of pieces(this.#file, { start, end }, buffers)) await flushed(destination, piece)
      // Not after a failure: the destination might still read from them.
      atRest = true
    } finally {
      this.#buffers.give(buffers, { atRest })
    }
  }

  async *chunks(range?: ByteRange): AsyncGenerator<Uint8Array, void, void> {
    const { start, end } = this.#within(range)
    const buffers = this.#buffers.take(end - start)
    try {
      for await (const piece of pieces(this.#file, { start, end }, buffers)) yield Buffer.from(piece)
    } finally {
      this.#buffers.give(buffers, { atRest: true })
    }
  }

  /** Whether those are of the file that is open here. While it is, no other has its number. */
  async reads({ dev, ino }: BigIntStats): Promise<boolean> {
    const own = await this.#file.stat({ bigint: true })
    return own.dev === dev && own.ino === ino
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #within({ start, end }: ByteRange = { start: 0, end: this.sizeBytes }): ByteRange {
    assert(start >= 0 && start <= end && end <= this.sizeBytes, 'a range lies within the blob')
    return { start, end }
  }
}
