import { createHash, randomUUID } from 'node:crypto'
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { FileBlobStore } from '#blobs/file.ts'
import type { BlobReader, BlobStore } from '#blobs/store.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { systemClock } from '#lib/clock.ts'
import { parseAccountId } from '#names/account.ts'
import { type Digest, digestOf } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createIncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import type { BlobSource } from '#registry/incoming/source.ts'
import { createRepositories } from '#registry/repositories.ts'
import type { StorageLimits } from '#registry/storage-quotas.ts'
import type { Databases } from './databases.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Transfers of blobs from elsewhere into one empty repository, over a database and a folder of blobs of their own. */
export const repositoryKey = {
  registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
  name: parseRepositoryName('hub/library/app'),
}

export async function openIncoming(
  t: TestContext,
  databases: Databases,
  { quotas = ecrQuotas, path }: { readonly quotas?: StorageLimits; readonly path?: string } = {},
) {
  const temporary = await temporaryFolder()
  t.after(() => temporary[Symbol.asyncDispose]())
  const folder = path ?? temporary.path
  const url = await databases.url()
  const metadata = await databases.open(t, url)
  await createRepositories({ metadata, clock: systemClock, quotas: ecrQuotas, repositoryCreated: [] }).create(
    repositoryKey,
    {},
  )
  /** As of one more process, over the same database and store. */
  const another = async (change: (store: BlobStore) => BlobStore = (store) => store) => {
    const blobs = change(await FileBlobStore.open(folder))
    const incoming = createIncomingBlobs({
      ...{ metadata, blobs, quotas, clock: systemClock, processId: randomUUID() },
      pauseMs: 5,
    })
    t.after(() => incoming.stop())
    return { incoming, blobs }
  }
  return { metadata, url, folder, another, ...(await another()) }
}

export function digestOfBytes(bytes: Uint8Array): Digest {
  return digestOf('sha256', createHash('sha256').update(bytes).digest('hex'))
}

/** A source of those bytes that counts how often and from where it is asked, and can be held up. */
export class TestSource {
  bytes: Uint8Array
  readonly offsets: number[] = []
  /** Bytes sent, over all answers. */
  sent = 0
  /** Sends no byte of this offset or later until it is raised. */
  gate = Number.POSITIVE_INFINITY
  /** Where the next answers break, each once. */
  readonly breaks: number[] = []
  /** Whether it begins where it is asked to. */
  ranges: boolean = true
  announced: number | undefined
  refusal: Error | undefined
  chunkBytes = 16 * 1024

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.announced = bytes.byteLength
  }

  readonly open: BlobSource = async (offset, signal) => {
    this.offsets.push(offset)
    if (this.refusal !== undefined) throw this.refusal
    const from = this.ranges ? offset : 0
    return { offset: from, sizeBytes: this.announced, body: this.#body(from, signal) }
  }

  async *#body(from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const end = this.breaks.shift() ?? Number.POSITIVE_INFINITY
    for (let at = from; at < this.bytes.byteLength; ) {
      while (at >= this.gate) await delay(5, undefined, { signal })
      if (at >= end) throw new Error('the connection broke')
      const next = Math.min(at + this.chunkBytes, this.gate, Math.max(end, at + 1), this.bytes.byteLength)
      this.sent += next - at
      yield this.bytes.slice(at, next)
      at = next
    }
  }
}

/** All that a reader sends, as it comes. */
export class Collected extends Writable {
  length = 0
  readonly whole: Promise<Buffer>
  readonly #chunks: Buffer[] = []

  constructor(reader: BlobReader, range?: { start: number; end: number }) {
    super()
    this.whole = reader.sendTo(this, range).then(() => Buffer.concat(this.#chunks))
    this.whole.catch(() => {})
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk))
    this.length += chunk.length
    done()
  }
}
