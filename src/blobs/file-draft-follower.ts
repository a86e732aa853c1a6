import { type FileHandle, stat } from 'node:fs/promises'
import { ifPresent } from '#lib/system-error.ts'
import type { Digest } from '#names/digest.ts'
import type { DraftFollower } from './store.ts'

/** The file of a draft, open for reading while its holder appends to it. A commit renames the file, which stays open here. */
export class FileDraftFollower implements DraftFollower {
  readonly #file: FileHandle
  readonly #pathOf: (digest: Digest) => string

  constructor(file: FileHandle, pathOf: (digest: Digest) => string) {
    this.#file = file
    this.#pathOf = pathOf
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < into.length) {
      const { bytesRead } = await this.#file.read(into, filled, into.length - filled, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return filled
  }

  /** While the file is open here, no other file has its number. */
  async became(digest: Digest): Promise<boolean> {
    const own = await this.#file.stat({ bigint: true })
    const stored = await ifPresent(stat(this.#pathOf(digest), { bigint: true }))
    return stored !== undefined && stored.dev === own.dev && stored.ino === own.ino
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
