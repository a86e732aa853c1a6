// A draft of the file driver: one open file, and the running SHA-256 of what is in it. Promises that what `commit` publishes is
// the very file whose bytes were hashed, whole and fsynced. Hot path, measured by the benchmark "blob push": chunks are hashed
// as they come while the batch before them is being written by another thread; one fsync, at the end.

import assert from 'node:assert/strict'
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, unlink } from 'node:fs/promises'
import { hasCode, ifPresent } from '#lib/system-error.ts'
import { type Digest, type DigestAlgorithm, digestAlgorithm, digestOf } from '#names/digest.ts'
import { Batches } from './batches.ts'
import { type BufferPool, pieces } from './file-reader.ts'
import type { Hold } from './holds.ts'
import { refuseBlob } from './refusals.ts'
import type { Draft } from './store.ts'

/** What is known of a draft between two requests. `hash` stands at `size`. */
export interface DraftState {
  readonly path: string
  readonly size: number
  readonly hash: Hash | undefined
}

/** What a draft needs of the store it lies in. */
export interface DraftHome {
  readonly buffers: BufferPool
  /** Renames a file that is fsynced to where its digest says, durably. */
  publish(path: string, digest: Digest): Promise<void>
  remember(id: string, state: DraftState): void
  /** Removes what a draft without a file is: its folder, unless another store has taken it. */
  forget(id: string): Promise<void>
}

export class FileDraft implements Draft {
  readonly #home: DraftHome
  readonly #hold: Hold
  readonly #file: FileHandle
  readonly #path: string
  #size: number
  /** Undefined when unknown: then `commit` makes it from the file, once, however many appends come before it. */
  #hash: Hash | undefined
  #busy: boolean = false
  #ended: boolean = false

  constructor(home: DraftHome, hold: Hold, file: FileHandle, { path, size, hash }: DraftState) {
    this.#home = home
    this.#hold = hold
    this.#file = file
    this.#path = path
    this.#size = size
    this.#hash = size === 0 ? createHash('sha256') : hash
  }

  get size(): number {
    return this.#size
  }

  append(source: AsyncIterable<Uint8Array>, { limit = Number.POSITIVE_INFINITY, release = false } = {}): Promise<void> {
    return this.#alone(async () => {
      const batches = new Batches(async (chunks, sizeBytes) => {
        await this.#write(chunks, sizeBytes)
        if (release) for (const chunk of chunks) giveBack(chunk)
      })
      try {
        await this.#take(source, limit, batches)
        await batches.flush()
      } catch (error) {
        // What came is kept. If that fails as well, `size` tells; the first error is the one to report.
        await batches.flush().catch(() => {})
        throw error
      }
    })
  }

  commit(expected: readonly Digest[]): Promise<{ digest: Digest; sizeBytes: number }> {
    return this.#alone(async () => {
      const digest = await this.#prove(expected)
      const { size } = await this.#file.stat()
      assert.equal(size, this.#size, 'a draft is as long as what was hashed')
      try {
        await this.#file.sync()
      } catch (error) {
        // After a failed fsync the kernel may forget which pages are unwritten, and a second fsync would succeed without them.
        await this.#end(() => this.#drop())
        throw error
      }
      try {
        await this.#home.publish(this.#path, digest)
      } catch (error) {
        // Another process that took the draft renamed it first: what lies under our name is never another's file.
        if (hasCode(error, 'ENOENT')) throw refuseBlob('DraftTakenOver', { id: this.#hold.id })
        throw error
      }
      await this.#end(() => this.#home.forget(this.#hold.id))
      this.#size = 0
      return { digest, sizeBytes: size }
    })
  }

  async close(): Promise<void> {
    if (this.#ended) return
    assert(!this.#busy, 'a draft does one thing at a time')
    await this.#end(() => this.#home.remember(this.#hold.id, { path: this.#path, size: this.#size, hash: this.#hash }))
  }

  async discard(): Promise<void> {
    if (this.#ended) return
    assert(!this.#busy, 'a draft does one thing at a time')
    await this.#end(() => this.#drop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    assert(!this.#busy && !this.#ended, 'a draft does one thing at a time, while it is held')
    this.#hold.check()
    this.#busy = true
    try {
      return await work()
    } finally {
      this.#busy = false
    }
  }

  async #end(last: () => Promise<void> | void): Promise<void> {
    this.#ended = true
    try {
      await last()
    } finally {
      await this.#file.close().finally(() => this.#hold.release())
    }
  }

  async #drop(): Promise<void> {
    this.#size = 0
    await ifPresent(unlink(this.#path))
    await this.#home.forget(this.#hold.id)
  }

  async #take(source: AsyncIterable<Uint8Array>, limit: number, batches: Batches): Promise<void> {
    const iterator = source[Symbol.asyncIterator]() // No `for await`, which would destroy the source and could not be interrupted.
    let room = limit
    for (;;) {
      const { done, value } = await this.#hold.interruptible(iterator.next())
      if (done) return
      const chunk = value.byteLength <= room ? value : value.subarray(0, room)
      room -= chunk.byteLength
      if (chunk.byteLength > 0) {
        this.#hash?.update(chunk)
        const full = batches.push(chunk)
        if (full !== undefined) await full
      }
      if (chunk !== value) throw refuseBlob('BodyTooLong', { limit })
    }
  }

  async #write(chunks: Uint8Array[], sizeBytes: number): Promise<void> {
    try {
      await writeWhole(this.#file, chunks, sizeBytes, this.#size)
    } catch (error) {
      this.#hash = undefined // It has run ahead of the file.
      await this.#file.truncate(this.#size).catch(() => {}) // `commit` and `resumeDraft` check the length as well.
      throw error
    }
    this.#size += sizeBytes
  }

  async #prove(expected: readonly Digest[]): Promise<Digest> {
    let first: Digest | undefined
    for (const algorithm of new Set(expected.map(digestAlgorithm))) {
      const hash = algorithm === 'sha256' ? (await this.#runningHash()).copy() : await this.#hashOfFile(algorithm)
      const computed = digestOf(algorithm, hash.digest('hex'))
      if (expected.includes(computed)) return computed
      first ??= computed
    }
    assert(first, 'at least one digest is expected')
    throw refuseBlob('DigestMismatch', { expected, computed: first })
  }

  async #runningHash(): Promise<Hash> {
    this.#hash ??= await this.#hashOfFile('sha256')
    return this.#hash
  }

  async #hashOfFile(algorithm: DigestAlgorithm): Promise<Hash> {
    const hash = createHash(algorithm)
    const buffers = this.#home.buffers.take(this.#size)
    try {
      for await (const piece of pieces(this.#file, { start: 0, end: this.#size }, buffers)) {
        this.#hold.check()
        hash.update(piece)
      }
    } finally {
      this.#home.buffers.give(buffers, { atRest: true })
    }
    return hash
  }
}

/**
 * Frees a chunk's memory at once, unless it shares that with others. Left to the collector, every chunk of an upload gets memory
 * that is fresh and cold, and much of it is held at any time: `bench` figures "blob push" and "parallel uploads".
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** A gathered write may stop short, last of all before a disk is full; the next one then says why. */
async function writeWhole(file: FileHandle, chunks: Uint8Array[], sizeBytes: number, position: number): Promise<void> {
  let rest = chunks
  for (let written = 0; written < sizeBytes; ) {
    const { bytesWritten } = await file.writev(rest, position + written)
    if (bytesWritten === 0) throw new Error('the file system took no bytes')
    written += bytesWritten
    if (written < sizeBytes) rest = without(rest, bytesWritten)
  }
}

function without(chunks: readonly Uint8Array[], leadingBytes: number): Uint8Array[] {
  let skip = leadingBytes
  const first = chunks.findIndex((chunk) => {
    if (skip < chunk.byteLength) return true
    skip -= chunk.byteLength
    return false
  })
  return chunks.slice(first).map((chunk, index) => (index === 0 ? chunk.subarray(skip) : chunk))
}
