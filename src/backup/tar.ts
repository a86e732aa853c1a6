import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rm, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { makeDurableFolder } from '#lib/durable-folder.ts'
import { syncFolder } from '#lib/sync-folder.ts'
import { hasCode, ifPresent } from '#lib/system-error.ts'
import { databaseFolder, digestOfName, manifestName, secretKeyName } from './format.ts'
import type { BackupSource, BackupTarget } from './places.ts'
import { refuse } from './refusals.ts'
import { blockBytes, paddingOf, parseHeader, printHeader } from './tar-header.ts'

/**
 * A tar archive, which gets its name once it is whole. None is overwritten.
 *
 * @throws Refusal `BackupPlaceTaken`
 */
export async function tarTarget(path: string): Promise<BackupTarget> {
  const archive = resolve(path)
  const taken = () => refuse('BackupPlaceTaken', { path: dirname(archive), found: basename(archive) })
  if ((await ifPresent(stat(archive))) !== undefined) throw taken()
  await makeDurableFolder(dirname(archive))
  const temporary = `${archive}.${randomBytes(4).toString('hex')}.unfinished`
  const file = await open(temporary, 'wx+', 0o600)
  const written = new Map<string, Entry>()
  let position = 0
  const modifiedAt = Math.floor(Date.now() / 1_000)

  async function put(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position)
      done += bytesWritten
      position += bytesWritten
    }
  }

  async function write(name: string, bytes: Uint8Array): Promise<void> {
    const sizeBytes = bytes.byteLength
    await put(printHeader(name, sizeBytes, modifiedAt))
    written.set(name, { name, sizeBytes, start: position })
    await put(bytes)
    await put(Buffer.alloc(paddingOf(sizeBytes)))
  }

  return {
    write,
    read(name) {
      const entry = written.get(name)
      assert(entry, 'what is read was written')
      return bytesOf(file, entry)
    },
    holds: async () => false,
    // What turns out not to be the blob stays, as what the manifest lists as missing.
    async writeBlob(name, sizeBytes, chunks) {
      await put(printHeader(name, sizeBytes, modifiedAt))
      for await (const chunk of chunks) await put(chunk)
      await put(Buffer.alloc(paddingOf(sizeBytes)))
    },
    async commit(manifest) {
      await write(manifestName, manifest)
      await put(Buffer.alloc(2 * blockBytes))
      await file.sync()
      await link(temporary, archive).catch((error: unknown) => {
        throw hasCode(error, 'EEXIST') ? taken() : error
      })
      await rm(temporary)
      await syncFolder(dirname(archive))
    },
    async [Symbol.asyncDispose]() {
      await file.close()
      await rm(temporary, { force: true })
    },
  }
}

/** Read from its beginning as often as it is asked, for its order is that in which it was written. */
export async function tarSource(path: string): Promise<BackupSource> {
  const archive = resolve(path)
  const file = await open(archive, 'r')

  return {
    async manifest() {
      let last: Entry | undefined
      for await (const entry of entriesOf(file)) last = entry
      if (last?.name !== manifestName) {
        throw refuse('BackupIncomplete', { path: archive, problem: `it does not end with ${manifestName}` })
      }
      return bytesOf(file, last)
    },
    async *database(run) {
      for await (const entry of entriesOf(file)) {
        if (entry.name.startsWith(`${databaseFolder}/${run}/`))
          yield { name: entry.name, bytes: await bytesOf(file, entry) }
      }
    },
    async *blobs() {
      for await (const entry of entriesOf(file)) {
        const digest = digestOfName(entry.name)
        if (digest !== undefined) yield { digest, sizeBytes: entry.sizeBytes, chunks: () => chunksOf(file, entry) }
      }
    },
    async secretKey() {
      for await (const entry of entriesOf(file)) if (entry.name === secretKeyName) return bytesOf(file, entry)
      return undefined
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

interface Entry {
  readonly name: string
  readonly sizeBytes: number
  /** Where its bytes begin. */
  readonly start: number
}

/** Of what is read whole. */
const mostBytes = 64 * 1024 * 1024
const chunkBytes = 1024 * 1024

async function* entriesOf(file: FileHandle): AsyncGenerator<Entry, void, void> {
  const block = Buffer.alloc(blockBytes)
  const { size } = await file.stat()
  for (let position = 0; position + blockBytes <= size; ) {
    await file.read(block, 0, blockBytes, position)
    const header = parseHeader(block)
    if (header === undefined) return
    const start = position + blockBytes
    // A name whose bytes are not all there is none.
    if (start + header.sizeBytes > size) return
    yield { ...header, start }
    position = start + header.sizeBytes + paddingOf(header.sizeBytes)
  }
}

async function bytesOf(file: FileHandle, entry: Entry): Promise<Buffer> {
  if (entry.sizeBytes > mostBytes) throw refuse('BackupDamaged', { what: entry.name })
  const pieces: Uint8Array[] = []
  for await (const piece of chunksOf(file, entry)) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* chunksOf(file: FileHandle, { start, sizeBytes, name }: Entry): AsyncGenerator<Uint8Array, void, void> {
  for (let read = 0; read < sizeBytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - read))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, start + read)
    if (bytesRead === 0) throw refuse('BackupDamaged', { what: name })
    yield chunk.subarray(0, bytesRead)
    read += bytesRead
  }
}
