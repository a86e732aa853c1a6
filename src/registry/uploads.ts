import { randomUUID } from 'node:crypto'
import { type Hold, Holds } from '#blobs/holds.ts'
import type { BlobRefusals } from '#blobs/refusals.ts'
import type { BlobStore, Draft } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import { isStorageFull } from '#lib/storage-full.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { findCompleted } from './completed-before.ts'
import { findStatusOfParents } from './linked-blobs.ts'
import type { Quotas } from './quotas.ts'
import { type ContentRefusals, refuse } from './refusals.ts'
import { getRepository, inRepository, type RepositoryKey } from './repository.ts'
import { findServed } from './served-blobs.ts'
import { createStorageQuotas, type StorageLimits } from './storage-quotas.ts'
import { type StoredBlob, storeDraft } from './stored-blob.ts'
import { type Reserve, reserving } from './upload-room.ts'
import { createUploadRows, type Upload } from './upload-rows.ts'

/**
 * Upload sessions. The bytes are a draft of the blob store; how many of them count stands in SQL.
 *
 *   start ──> open ──append──> open …  ──complete──> a blob, linked to the repository
 *              └────cancel───> gone         └─ wrong digest ──> open, as it was
 *
 * An upload may go on in another process than it began in. A draft has one writer: within a process the store sees to it,
 * between processes the row's `writer` (see `upload-rows.ts`).
 */
export interface Uploads {
  /** The id of a new upload. @throws Refusal `RepositoryNotFound` */
  start(key: RepositoryKey): Promise<string>
  /** Bytes received. @throws Refusal `UploadNotFound` */
  offset(key: RepositoryKey, id: string): Promise<number>
  /**
   * Appends a chunk and answers the bytes received so far. When the source breaks, what came is kept.
   *
   * @throws Refusal `UploadNotFound`, `UploadOutOfOrder`, `UploadTakenOver`; the source's own error
   */
  append(key: RepositoryKey, id: string, chunk: Chunk): Promise<number>
  /**
   * A part of ECR's API: as `append`, and remembers whether a small one was followed by another.
   *
   * @throws Refusal `QuotaExceeded` beyond the number of parts that an upload may have
   */
  appendPart(key: RepositoryKey, id: string, part: { first: number; last: number; bytes: Uint8Array }): Promise<number>
  /**
   * Proves the content, stores it and links it: after this it is durable and served. Where the upload is gone, a blob of that digest that
   * the repository links is the answer: a client repeats a completion if the answer to the first one was lost.
   *
   * @throws Refusal `UploadNotFound`, `UploadDigestMismatch`, `UploadOutOfOrder`, `UploadTakenOver`
   */
  complete(key: RepositoryKey, id: string, digest: Digest, chunk?: Chunk): Promise<StoredBlob>
  /**
   * ECR's completion: of several digests one must fit. Content that the repository serves already ends the upload, and is refused,
   * unless it is archived, for then clients have been told that they must send it. So they have where it was damaged: that is healed.
   *
   * @throws Refusal `UploadNotFound`, `UploadDigestMismatch`, `UploadTakenOver`, `UploadEmpty`, `UploadPartTooSmall`,
   *   `UploadIncomplete`, `LayerAlreadyExists`
   */
  completeParts(key: RepositoryKey, id: string, digests: readonly Digest[]): Promise<StoredBlob>
  /** A whole blob in one request, without a session. @throws Refusal `RepositoryNotFound`, `UploadDigestMismatch` */
  push(key: RepositoryKey, digest: Digest, chunk: Chunk): Promise<StoredBlob>
  /** @throws Refusal `UploadNotFound` */
  cancel(key: RepositoryKey, id: string): Promise<void>
}

export interface Chunk {
  readonly source: AsyncIterable<Uint8Array>
  /** Where the client says that it belongs; anywhere but at the upload's offset is refused. */
  readonly first?: number | undefined
  /** How many bytes the client announced; fewer or more change nothing and are refused. */
  readonly length?: number | undefined
  /** Whether the source's pieces are nobody else's, so that their memory may be given back once it is written. */
  readonly release?: boolean
}

/** ECR's least size of a part that is not the last (user guide, "Amazon ECR service quotas"). */
const leastPartBytes = 5 * 1024 * 1024

export function createUploads({
  metadata,
  blobs,
  clock,
  quotas,
  processId,
}: {
  metadata: Metadata
  blobs: BlobStore
  clock: Clock
  quotas: Pick<Quotas, 'layerParts'> & StorageLimits
  /** Unlike that of any other process, now or before. */
  processId: string
}): Uploads {
  const storageQuotas = createStorageQuotas(quotas)
  const rows = createUploadRows({ metadata, clock, storageQuotas, processId })
  const holds = new Holds()

  /**
   * Gives `work` the upload as the only request of this process that touches it. An older one is asked to let go, keeps what it
   * received and has recorded it before this one reads where the upload stands.
   */
  async function holding<T>(key: RepositoryKey, id: string, work: (hold: Hold) => Promise<T>): Promise<T> {
    try {
      const hold = await holds.take(id)
      try {
        return await work(hold)
      } finally {
        hold.release()
      }
    } catch (error) {
      throw asUploadRefusal(error, key, id)
    }
  }

  /** A draft that is this request's alone, standing at the upload's offset. */
  async function openDraft(key: RepositoryKey, upload: Upload): Promise<Draft> {
    const { id, offset, otherWriter } = await rows.claim(key, upload)
    const confirm = () => rows.confirm(key, id)
    // The first bytes make the draft, so that beginning an upload costs no file.
    if (offset === 0) return blobs.createDraft(id, confirm)
    const draft = await blobs.resumeDraft(id, { offset, fresh: otherWriter, confirm })
    if (draft === undefined) throw refuse('UploadNotFound', { ...inRepository(key), upload: id })
    if (draft.size === offset) return draft
    // A power loss took bytes that had been received but not promised. The client learns where to go on.
    await draft.close()
    await rows.record(key, id, { offset: draft.size, held: draft.size })
    throw refuse('UploadOutOfOrder', { ...inRepository(key), upload: id, offset: draft.size })
  }

  async function appendChunk(
    key: RepositoryKey,
    id: string,
    { draft, hold, onBytes }: { readonly draft: Draft; readonly hold: Hold; readonly onBytes?: () => void },
    chunk: Chunk,
  ): Promise<void> {
    const before = draft.size
    const { first = before, length, release = false } = chunk
    const facts = { ...inRepository(key), upload: id, offset: before }
    if (first !== before) throw refuse('UploadOutOfOrder', facts)
    const source = untilLetGo(hold, chunk.source, onBytes)
    const reserve: Reserve = (bytes, expected) => rows.reserve(key, id, bytes, expected)
    await draft.append(storageQuotas.countsBytes ? reserving(source, before, length, reserve) : source, {
      release,
      ...(length !== undefined && { limit: length }),
    })
    if (length !== undefined && draft.size - before !== length) throw refuse('UploadLengthMismatch', facts)
  }

  /**
   * Runs `work` on the draft and records what counts afterwards, unless `work` ended the upload. After a failure the upload stands
   * where it stood, or after the bytes that came of a chunk which broke off. On a full disk and beyond a quota it ends: its bytes
   * would keep other clients from writing until they are collected.
   */
  async function writing<T>(key: RepositoryKey, upload: Upload, work: (draft: Draft) => Promise<T>): Promise<T> {
    await using draft = await openDraft(key, upload)
    const before = draft.size // Where it stood when it was claimed, which may be after `upload` was read.
    try {
      return await work(draft)
    } catch (error) {
      if (isStorageFull(error) || isBeyondQuota(error)) {
        await draft.discard()
        // The database may be on the same disk. A row whose draft is gone is an upload that is not found.
        await rows.delete(key, upload.id).catch(() => {})
        throw error
      }
      const brokeOff = !(error instanceof Refusal) || error.code === ('DraftTakenOver' satisfies keyof BlobRefusals)
      const kept = brokeOff ? draft.size : before
      await rows.record(key, upload.id, { offset: kept, held: draft.size }).catch(async (recording: unknown) => {
        if (!(recording instanceof Refusal)) throw recording
        // Whoever took the upload over goes on with these bytes. Otherwise it has ended, and nobody will ask for them.
        if (recording.code !== ('UploadTakenOver' satisfies keyof ContentRefusals)) await draft.discard()
      })
      throw error
    }
  }

  function append(
    key: RepositoryKey,
    hold: Hold,
    upload: Upload,
    chunk: Chunk,
    part?: Pick<Upload, 'shortPart' | 'parts'>,
  ) {
    return writing(key, upload, async (draft) => {
      await appendChunk(key, upload.id, { draft, hold, onBytes: rows.keepAlive(key, upload) }, chunk)
      await rows.record(key, upload.id, { offset: draft.size, held: draft.size }, part)
      return draft.size
    })
  }

  function complete(key: RepositoryKey, hold: Hold, upload: Upload, digests: readonly Digest[], chunk?: Chunk) {
    return writing(key, upload, async (draft) => {
      if (chunk !== undefined) {
        await appendChunk(key, upload.id, { draft, hold, onBytes: rows.keepAlive(key, upload) }, chunk)
      }
      return store(key, draft, upload.id, digests, (trx) => rows.finish(trx, key, upload.id))
    })
  }

  function store(
    key: RepositoryKey,
    draft: Draft,
    id: string,
    digests: readonly Digest[],
    alongside?: (trx: Transaction) => Promise<void>,
  ): Promise<StoredBlob> {
    const gone = refuse('UploadNotFound', { ...inRepository(key), upload: id })
    return storeDraft({ metadata, blobs, clock }, key, draft, digests, { gone, alongside })
  }

  /** By an upload, since room is reserved for one. It ends with the request. */
  async function pushReserving(key: RepositoryKey, digest: Digest, chunk: Chunk): Promise<StoredBlob> {
    const id = await rows.create(key)
    return holding(key, id, async (hold) => {
      try {
        return await complete(key, hold, await rows.get(key, id), [digest], chunk)
      } catch (error) {
        await rows.delete(key, id).catch(() => {})
        await blobs.discardDraft(id)
        throw error
      }
    })
  }

  async function isArchived(key: RepositoryKey, digest: Digest): Promise<boolean> {
    const { id } = await getRepository(metadata.reader, key)
    return (await findStatusOfParents(metadata.reader, id, digest)) === 'ARCHIVED'
  }

  return {
    start: (key) => rows.create(key),

    offset: async (key, id) => (await rows.get(key, id)).offset,

    append: (key, id, chunk) => holding(key, id, async (hold) => append(key, hold, await rows.get(key, id), chunk)),

    appendPart: (key, id, { first, last, bytes }) =>
      holding(key, id, async (hold) => {
        const upload = await rows.get(key, id)
        const length = bytes.byteLength
        // ECR has no part without a byte, which would count as a small one that others may not follow.
        if (last < first || last - first + 1 !== length) {
          throw refuse('UploadLengthMismatch', { ...inRepository(key), upload: id, offset: upload.offset })
        }
        const parts = upload.parts + 1
        if (parts > quotas.layerParts) {
          throw refuse('QuotaExceeded', { ...inRepository(key), quota: 'layerParts', limit: quotas.layerParts })
        }
        const shortPart = upload.shortPart !== 'none' ? 'followed' : length < leastPartBytes ? 'last' : 'none'
        return append(key, hold, upload, { source: once(bytes), first, length }, { shortPart, parts })
      }),

    complete: async (key, id, digest, chunk) => {
      try {
        return await holding(key, id, async (hold) => complete(key, hold, await rows.get(key, id), [digest], chunk))
      } catch (error) {
        if (!isUploadNotFound(error)) throw error
        const sizeBytes = await findCompleted({ metadata, blobs, clock }, key, digest)
        if (sizeBytes === undefined) throw error
        return { digest, sizeBytes, linked: false }
      }
    },

    completeParts: (key, id, digests) =>
      holding(key, id, async (hold) => {
        const upload = await rows.get(key, id)
        const facts = { ...inRepository(key), upload: id }
        if (upload.offset === 0) throw refuse('UploadEmpty', facts)
        if (upload.shortPart === 'followed')
          throw refuse('UploadPartTooSmall', { ...facts, leastBytes: leastPartBytes })
        const { id: repositoryId } = await getRepository(metadata.reader, key)
        const served = await findServed({ reader: metadata.reader, blobs }, repositoryId, digests)
        const blob = await complete(key, hold, upload, digests).catch(asIncomplete)
        if (!blob.linked && served.has(blob.digest) && !(await isArchived(key, blob.digest))) {
          throw refuse('LayerAlreadyExists', { ...inRepository(key), digest: blob.digest })
        }
        return blob
      }),

    push: (key, digest, chunk) => {
      if (storageQuotas.countsBytes) return pushReserving(key, digest, chunk)
      const id = randomUUID()
      return holding(key, id, async (hold) => {
        await getRepository(metadata.reader, key)
        const draft = await blobs.createDraft(id)
        try {
          await appendChunk(key, id, { draft, hold }, chunk)
          return await store(key, draft, id, [digest])
        } catch (error) {
          await draft.discard()
          throw error
        }
      })
    },

    cancel: (key, id) =>
      holding(key, id, async () => {
        await rows.delete(key, id)
        await blobs.discardDraft(id)
      }),
  }
}

/** The chunks of `source` until a newer request wants the upload. The source's owner destroys it, not we. */
async function* untilLetGo(
  hold: Hold,
  source: AsyncIterable<Uint8Array>,
  onBytes?: () => void,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]()
  for (;;) {
    const next = await hold.interruptible(chunks.next())
    if (next.done) return
    onBytes?.()
    yield next.value
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function isUploadNotFound(error: unknown): boolean {
  return error instanceof Refusal && error.code === ('UploadNotFound' satisfies keyof ContentRefusals)
}

function isBeyondQuota(error: unknown): boolean {
  return error instanceof Refusal && error.code === ('StorageQuotaExceeded' satisfies keyof ContentRefusals)
}

/** Without a chunk only lost bytes can be out of order. ECR's completion has no exception that tells where to go on. */
function asIncomplete(error: unknown): never {
  if (!(error instanceof Refusal) || error.code !== ('UploadOutOfOrder' satisfies keyof ContentRefusals)) throw error
  // The code tells which facts it has.
  throw refuse('UploadIncomplete', error.facts as ContentRefusals['UploadOutOfOrder'])
}

/** What the blob store refused, with the facts of the upload. */
function asUploadRefusal(error: unknown, key: RepositoryKey, upload: string): unknown {
  if (!(error instanceof Refusal)) return error
  const facts = { ...inRepository(key), upload }
  switch (error.code as keyof BlobRefusals) {
    case 'DigestMismatch': {
      // The code tells which facts a refusal of the blob store has.
      const { computed } = error.facts as BlobRefusals['DigestMismatch']
      return refuse('UploadDigestMismatch', { ...facts, computed })
    }
    case 'DraftTakenOver':
      return refuse('UploadTakenOver', facts)
    case 'BodyTooLong':
      return refuse('UploadLengthMismatch', { ...facts, offset: 0 })
    default:
      return error
  }
}
