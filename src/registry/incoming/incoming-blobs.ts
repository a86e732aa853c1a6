import type { BlobReader, BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { refuse } from '#registry/refusals.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { createStorageQuotas, type StorageLimits } from '#registry/storage-quotas.ts'
import { createUploadRows } from '#registry/upload-rows.ts'
import { BlockPool } from './blocks.ts'
import { follow } from './follow.ts'
import { type LeadParts, lead } from './lead.ts'
import { createLeases } from './leases.ts'
import { Progress } from './progress.ts'
import { IncomingReader } from './reader.ts'
import { createIncomingRows } from './rows.ts'
import type { BlobSource } from './source.ts'

/**
 * Blobs that come from elsewhere. A blob of a repository has one transfer at a time, for any number of readers, processes and nodes, and
 * is read while it arrives. Its bytes are a draft of an upload, so that quotas, sweeps and deletions treat it as one.
 *
 *   elect ──> lead:   source → draft → proof → blob, linked
 *     ↑  └──> follow: the draft of the process that leads, until that ends
 *     └───────────────┘
 *
 * A reader that leaves ends nothing but itself. The last bytes of every reader wait for the proof.
 */
export interface IncomingBlobs {
  /**
   * Joins or starts the transfer. Resolves once the source has answered and the size is known; the caller closes the reader. What a reader
   * throws later is what ended the transfer.
   *
   * @throws the source's own error; Refusal `RepositoryNotFound`, `StorageQuotaExceeded`, `IncomingBlobInvalid`, `IncomingBlobBroken`
   */
  open(key: RepositoryKey, blob: IncomingBlob, source: BlobSource): Promise<BlobReader>
  /** Resolves once the blob is proved, durable and linked. The signal ends the waiting, not the transfer. @throws as `open` */
  store(
    key: RepositoryKey,
    blob: IncomingBlob,
    source: BlobSource,
    options: { readonly signal?: AbortSignal },
  ): Promise<void>
  /** Ends all transfers of this process, and records what they have. The next process continues there. */
  stop(): Promise<void>
}

export interface IncomingBlob {
  readonly digest: Digest
  /** As the descriptor says. */
  readonly sizeBytes: number | undefined
}

/** So often one request leads without a stored blob or a failure: leases that others take, content that is deleted at once. */
const mostLeads = 5

export function createIncomingBlobs({
  metadata,
  blobs,
  clock,
  quotas,
  processId,
  pauseMs = 500,
}: {
  metadata: Metadata
  blobs: BlobStore
  clock: Clock
  quotas: StorageLimits
  /** Unlike that of any other process, now or before. */
  processId: string
  /** After the first break of a source; later pauses are longer. */
  pauseMs?: number
}): IncomingBlobs {
  const storageQuotas = createStorageQuotas(quotas)
  const uploadRows = createUploadRows({ metadata, clock, storageQuotas, processId })
  const rows = createIncomingRows({ metadata, clock, uploadRows, processId })
  const parts: LeadParts = {
    ...{ metadata, blobs, clock, rows, uploadRows, storageQuotas, pauseMs },
    leases: createLeases(rows),
  }
  const pool = new BlockPool()
  const stopping = new AbortController()
  const running = new Map<string, { readonly progress: Progress; readonly end: Promise<void> }>()

  /** What the repository serves already. */
  async function openLinked({ key, digest }: Progress): Promise<BlobReader | undefined> {
    const sizeBytes = await rows.findLinked(key, digest)
    const stored = sizeBytes === undefined ? undefined : await blobs.open(digest)
    if (stored === undefined || stored.sizeBytes === sizeBytes) return stored
    await stored.close()
    return undefined
  }

  /** Takes part in the transfer until it ends, as its leader or not. */
  async function run(progress: Progress, sizeBytes: number | undefined, source: BlobSource): Promise<BlobReader> {
    const { key, digest } = progress
    let leads = 0
    for (let ignoreLink = false; ; ) {
      stopping.signal.throwIfAborted()
      const stored = await openLinked(progress)
      if (stored !== undefined) return stored
      const role = await rows.elect(key, digest, ignoreLink)
      // A link without intact content is healed by what comes.
      ignoreLink = role.role === 'linked'
      if (role.role === 'follow') await follow({ rows, clock }, progress, stopping.signal)
      if (role.role === 'lead') {
        if (++leads > mostLeads) throw progress.broken()
        const { size, ...led } = role
        await lead(parts, { ...led, progress, sizeBytes: sizeBytes ?? size, source, stopping: stopping.signal })
      }
    }
  }

  function join(key: RepositoryKey, { digest, sizeBytes }: IncomingBlob, source: BlobSource): Progress {
    const { account, region } = key.registry
    const name = `${account}/${region}/${key.name}@${digest}`
    const joined = running.get(name)
    if (joined !== undefined) return joined.progress
    const progress = new Progress(key, digest, blobs, pool)
    const end = run(progress, sizeBytes, source)
      .then(
        (stored) => progress.store(stored),
        (error: unknown) => progress.fail(stopping.signal.aborted ? progress.broken() : error),
      )
      .finally(() => running.delete(name))
    running.set(name, { progress, end })
    return progress
  }

  function requireLength({ key, digest }: Progress, expected: number | undefined, sizeBytes: number): void {
    if (expected === undefined || expected === sizeBytes) return
    throw refuse('IncomingBlobInvalid', { ...inRepository(key), digest, problem: 'length' })
  }

  return {
    async open(key, blob, source) {
      const progress = join(key, blob, source)
      // Counts as a reader from here on, so that the file of the transfer stays open for it.
      progress.enter()
      try {
        const sizeBytes = await progress.until(() => progress.sizeBytes)
        requireLength(progress, blob.sizeBytes, sizeBytes)
        return new IncomingReader(progress, sizeBytes)
      } finally {
        await progress.leave()
      }
    },

    async store(key, blob, source, { signal }) {
      const progress = join(key, blob, source)
      await progress.until(() => progress.isStored || undefined, signal)
      requireLength(progress, blob.sizeBytes, progress.sizeBytes ?? 0)
    },

    async stop() {
      stopping.abort(new Error('the process stops'))
      await Promise.all(Array.from(running.values(), ({ end }) => end))
    },
  }
}
