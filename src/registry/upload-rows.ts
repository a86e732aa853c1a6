import { randomUUID } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'
import type { StorageQuotas } from './storage-quotas.ts'

/**
 * Upload sessions in SQL: the bytes that count, and which process may be writing. `writer` is set before a process touches the
 * draft and cleared after it let go, so that a name which is not one's own means: somebody else may hold the file open, alive
 * or dead. Whoever takes over from such a one goes on with a copy, and the other's record finds `writer` changed and fails.
 */
export interface Upload {
  readonly id: string
  readonly offset: number
  /** Whether a part below ECR's least size came: none, only the last one so far, or one that another followed. */
  readonly shortPart: 'none' | 'last' | 'followed'
  /** How many parts of ECR's API came. A chunk of the distribution API is none: there ECR cuts the parts itself. */
  readonly parts: number
  readonly writer: string | null
  /** When somebody last continued it; milliseconds since the epoch. */
  readonly touchedAt: number
}

/** The bytes that count, and those that the draft holds: more after a chunk that was refused. */
export interface Counts {
  readonly offset: number
  readonly held: number
}

/** One request may bring bytes for longer than an upload lives that nobody continues, which is an hour at least. */
const touchedEachMs = 10 * 60_000

/** How often a request that brings bytes looks whether its upload ended, or has another writer. */
const lookedEachMs = 10_000

export interface UploadRows {
  /** @throws Refusal `RepositoryNotFound`, `StorageQuotaExceeded` */
  create(key: RepositoryKey): Promise<string>
  /** The same in a transaction that holds the repository's lock. @throws Refusal `StorageQuotaExceeded` */
  createIn(trx: Transaction, repository: Repository): Promise<string>
  /** @throws Refusal `RepositoryNotFound`, `UploadNotFound` */
  get(key: RepositoryKey, id: string): Promise<Upload>
  /** Makes this process the writer; `otherWriter` tells that another may be writing still. @throws Refusal `UploadNotFound` */
  claim(key: RepositoryKey, upload: Upload): Promise<{ id: string; offset: number; otherWriter: boolean }>
  /** Whether a claim still holds: the row that it was decided by may have been read before another process's. @throws as `record` */
  confirm(key: RepositoryKey, id: string): Promise<void>
  /**
   * To be called as bytes come. Now and then it writes, in the background, that the upload is not abandoned. It throws once the upload ended
   * or another process took it over: further bytes would lie on the disk, and count towards no quota.
   *
   * @throws as `record`
   */
  keepAlive(key: RepositoryKey, upload: Upload): () => void
  /**
   * What counts from now on; nobody writes any more.
   *
   * @throws Refusal `UploadTakenOver`; `UploadNotFound`, `RepositoryNotFound` if it has ended meanwhile
   */
  record(key: RepositoryKey, id: string, counts: Counts, part?: Pick<Upload, 'shortPart' | 'parts'>): Promise<void>
  /** Reserves room for the upload up to `bytes` in all, of `expected`. @throws Refusal `StorageQuotaExceeded` */
  reserve(key: RepositoryKey, id: string, bytes: number, expected: number): Promise<void>
  /**
   * Ends the upload in the transaction that shows its blob. It does so for whoever has proved and published the content, although
   * somebody else has claimed the upload since: that one finds no draft any more, and if both gave up nobody would have it.
   *
   * @throws Refusal `UploadNotFound` if it has ended already: completed by another process, or gone with its repository, of whose
   *   name there may be another one by now
   */
  finish(trx: Transaction, key: RepositoryKey, id: string): Promise<void>
  /** @throws Refusal `UploadNotFound` */
  delete(key: RepositoryKey, id: string): Promise<void>
}

export function createUploadRows({
  metadata,
  clock,
  storageQuotas,
  processId,
}: {
  metadata: Metadata
  clock: Clock
  storageQuotas: StorageQuotas
  processId: string
}): UploadRows {
  const findWriter = metadata.prepare<{ id: string }, { writer: string | null }>((db, p) =>
    db.selectFrom('upload').select('writer').where('id', '=', p('id')),
  )

  async function get(key: RepositoryKey, id: string): Promise<Upload> {
    const row = await selectUpload(metadata.reader, key, id).executeTakeFirst()
    if (row === undefined) {
      // Only a miss asks whether it was the repository that is missing.
      await getRepository(metadata.reader, key)
      throw refuse('UploadNotFound', { ...inRepository(key), upload: id })
    }
    const { offset, parts, writer, touched_at: touchedAt } = row
    return { id, offset, shortPart: row.short_part as Upload['shortPart'], parts, writer, touchedAt }
  }

  async function touch(id: string, now: number): Promise<void> {
    await metadata.transaction((trx) =>
      trx.updateTable('upload').set({ touched_at: now }).where('id', '=', id).where('writer', '=', processId).execute(),
    )
  }

  /** The refusal of one that found itself not to be the writer. */
  async function lost(key: RepositoryKey, id: string): Promise<Refusal> {
    await get(key, id)
    return refuse('UploadTakenOver', { ...inRepository(key), upload: id })
  }

  async function confirm(key: RepositoryKey, id: string): Promise<void> {
    const [row] = await findWriter({ id })
    if (row?.writer !== processId) throw await lost(key, id)
  }

  async function createIn(trx: Transaction, repository: Repository): Promise<string> {
    const id = randomUUID()
    const now = clock()
    const { registry } = repository
    const { account, region } = registry
    // Who begins an upload will most often write it too, and then need not claim it.
    const row = { id, repository_id: repository.id, offset: 0, writer: processId, short_part: 'none' }
    await trx
      .insertInto('upload')
      .values({ ...row, started_at: now, touched_at: now, account, region })
      .execute()
    await storageQuotas.requireUploads(trx, repository)
    // A registry without room for a byte says so before a client sends any.
    if (storageQuotas.countsBytes) await storageQuotas.reserve(trx, registry, id, { bytes: 1, expected: 1 })
    return id
  }

  return {
    get,
    confirm,

    create: (key) => metadata.transaction(async (trx) => createIn(trx, await lockRepository(trx, key, 'shared'))),

    createIn,

    async claim(key, upload) {
      if (upload.writer === processId) return { ...upload, otherWriter: false }
      return metadata.transaction(async (trx) => {
        const row = await selectUpload(trx, key, upload.id).forUpdate('upload').executeTakeFirst()
        if (row === undefined) throw refuse('UploadNotFound', { ...inRepository(key), upload: upload.id })
        const set = { writer: processId, touched_at: clock() }
        await trx.updateTable('upload').set(set).where('id', '=', upload.id).execute()
        return { ...row, otherWriter: row.writer !== null && row.writer !== processId }
      })
    },

    // Runs for each chunk (benchmark: blob push).
    keepAlive(key, { id, touchedAt }) {
      let touched = touchedAt
      let looked = clock()
      let ended: Refusal | undefined
      return () => {
        if (ended !== undefined) throw ended
        const now = clock()
        if (now >= looked + lookedEachMs) {
          looked = now
          // Where the database is away for a moment, the next look sees it.
          void confirm(key, id).catch((error: unknown) => {
            if (error instanceof Refusal) ended = error
          })
        }
        if (now < touched + touchedEachMs) return
        touched = now
        // Likewise: there are several in the least time that an upload has.
        void touch(id, now).catch(() => {})
      }
    },

    reserve: ({ registry }, id, bytes, expected) =>
      metadata.transaction((trx) => storageQuotas.reserve(trx, registry, id, { bytes, expected })),

    async record(key, id, { offset, held }, part) {
      // Without bytes there is no part either.
      const counted = offset === 0 ? { shortPart: 'none', parts: 0 } : part
      const taken = await metadata.transaction(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('upload')
          .set({ offset, held, writer: null, touched_at: clock() })
          .$if(counted !== undefined, (query) => query.set({ short_part: counted?.shortPart, parts: counted?.parts }))
          .where('id', '=', id)
          .where('writer', '=', processId)
          .executeTakeFirst()
        return numUpdatedRows === 0n
      })
      if (taken) throw await lost(key, id)
    },

    async finish(trx, key, id) {
      const { numDeletedRows } = await trx.deleteFrom('upload').where('id', '=', id).executeTakeFirst()
      if (numDeletedRows === 0n) throw refuse('UploadNotFound', { ...inRepository(key), upload: id })
    },

    async delete(key, id) {
      await get(key, id)
      await metadata.transaction((trx) => trx.deleteFrom('upload').where('id', '=', id).execute())
    },
  }
}

function selectUpload(reader: Reader, { registry, name }: RepositoryKey, id: string) {
  return reader
    .selectFrom('upload')
    .innerJoin('repository', 'repository.id', 'upload.repository_id')
    .select(['upload.id', 'upload.offset', 'upload.writer', 'upload.short_part', 'upload.parts', 'upload.touched_at'])
    .where('upload.id', '=', id)
    .where('repository.account', '=', registry.account)
    .where('repository.region', '=', registry.region)
    .where('repository.name', '=', name)
}
