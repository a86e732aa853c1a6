import type { BlobRefusals } from '#blobs/refusals.ts'
import type { BlobStore, Draft } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import { isStorageFull } from '#lib/storage-full.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type ContentRefusals, refuse } from '#registry/refusals.ts'
import { inRepository } from '#registry/repository.ts'
import type { StorageQuotas } from '#registry/storage-quotas.ts'
import { storeDraft } from '#registry/stored-blob.ts'
import type { UploadRows } from '#registry/upload-rows.ts'
import { StartDiffers } from './compare.ts'
import type { Lease, Leases } from './leases.ts'
import type { Progress } from './progress.ts'
import { pull } from './pull.ts'
import type { IncomingRows } from './rows.ts'
import { type BlobSource, SourceBroke } from './source.ts'

export interface LeadParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly rows: IncomingRows
  readonly uploadRows: UploadRows
  readonly storageQuotas: StorageQuotas
  readonly leases: Leases
  /** The pause after the first break without progress; later ones are longer. */
  readonly pauseMs: number
}

export interface Led {
  readonly progress: Progress
  readonly upload: string
  /** Whether the upload may hold bytes of an earlier leader. */
  readonly inherited: boolean
  /** Whether the blob is linked without intact content, which this transfer heals. */
  readonly ignoreLink: boolean
  /** As the descriptor says, or what an earlier leader learned. */
  readonly sizeBytes: number | undefined
  readonly source: BlobSource
  /** Aborted when this process stops. */
  readonly stopping: AbortSignal
}

/**
 * Reads the source to its end and stores the blob, at full speed, however slow the readers are. When this resolves, the blob is linked, or
 * this process leads no more: the rows say which.
 *
 * @throws the source's own error; Refusal `IncomingBlobInvalid`, `StorageQuotaExceeded`, `RepositoryNotFound`; a system error
 */
export async function lead(parts: LeadParts, led: Led): Promise<void> {
  if ((await attempt(parts, led)) === 'ended') return
  // Bytes of an earlier attempt differ from what the source sends. One attempt from the first byte on decides.
  const upload = await parts.rows.restart(led.progress.key, led.upload)
  // Without one, another process leads and has the draft.
  if (upload === undefined) return
  await parts.blobs.discardDraft(led.upload)
  if ((await attempt(parts, { ...led, upload, inherited: false })) === 'ended') return
  await end(parts, led, upload)
  throw invalid(led, 'content')
}

async function attempt(parts: LeadParts, led: Led): Promise<'ended' | 'again'> {
  const { progress, upload } = led
  using lease = parts.leases.hold(upload, led.ignoreLink)
  await using draft = await openDraft(parts, led)
  progress.attach(upload)
  progress.advance(draft.size)
  const inherited = draft.size > 0
  try {
    await pull(parts, led, draft, lease)
    await store(parts, led, draft)
    return 'ended'
  } catch (error) {
    if (error instanceof StartDiffers || (inherited && isRefusal(error, 'DigestMismatch'))) return 'again'
    if (lease.end !== undefined || movedOn.some((code) => isRefusal(error, code))) {
      await letGo(parts, led, draft, lease)
      return 'ended'
    }
    if (draft.size === 0 || isFinal(error)) {
      await draft.discard()
      await end(parts, led, upload)
    } else {
      // Where the database is away, the lease passes.
      await keep(parts, led, draft).catch(() => {})
    }
    throw asReaderError(led, error)
  }
}

/** Where another process has ended or continues the transfer. */
const movedOn = ['DraftTakenOver', 'UploadTakenOver', 'UploadNotFound'] as const

async function openDraft({ blobs, uploadRows }: LeadParts, { progress, upload, inherited }: Led): Promise<Draft> {
  const { key } = progress
  const row = await uploadRows.get(key, upload)
  const { otherWriter } = await uploadRows.claim(key, row)
  const confirm = () => uploadRows.confirm(key, upload)
  // All that is there counts, since nothing is promised until the whole is proved.
  const all = { offset: Number.MAX_SAFE_INTEGER, fresh: otherWriter, confirm }
  const resumed = inherited ? await blobs.resumeDraft(upload, all) : undefined
  return resumed ?? blobs.createDraft(upload, confirm)
}

function store({ metadata, blobs, clock, uploadRows }: LeadParts, { progress, upload }: Led, draft: Draft) {
  const { key, digest } = progress
  return storeDraft({ metadata, blobs, clock }, key, draft, [digest], {
    gone: refuse('UploadNotFound', { ...inRepository(key), upload }),
    alongside: (trx) => uploadRows.finish(trx, key, upload),
  })
}

/** The next leader, of this process or another, goes on with the bytes. */
async function keep({ rows, uploadRows }: LeadParts, { progress, upload }: Led, draft: Draft): Promise<void> {
  const { size } = draft
  await draft.close()
  await uploadRows.record(progress.key, upload, { offset: size, held: size }).catch(ignoreRefusal)
  await rows.release(upload)
}

async function letGo(parts: LeadParts, { progress, upload }: Led, draft: Draft, { end: how }: Lease): Promise<void> {
  const { key } = progress
  // A client pushed the blob: this transfer has no further use.
  if (how === 'linked') await parts.uploadRows.delete(key, upload).catch(ignoreRefusal)
  try {
    await parts.uploadRows.get(key, upload)
  } catch (error) {
    ignoreRefusal(error)
    await draft.discard()
  }
}

/** The database may be on the disk that is full. A row without bytes starts over. */
async function end({ uploadRows }: LeadParts, { progress }: Led, upload: string): Promise<void> {
  await uploadRows.delete(progress.key, upload).catch(() => {})
}

/** A refusal stands, and on a full disk the bytes would keep others from writing. After anything else the next attempt uses the bytes. */
function isFinal(error: unknown): boolean {
  return error instanceof Refusal || isStorageFull(error)
}

function asReaderError(led: Led, error: unknown): unknown {
  if (led.stopping.aborted) return led.progress.broken()
  if (error instanceof SourceBroke) return error.cause
  if (isRefusal(error, 'DigestMismatch')) return invalid(led, 'content')
  if (isRefusal(error, 'BodyTooLong')) return invalid(led, 'length')
  return error
}

function invalid({ progress: { key, digest } }: Led, problem: 'length' | 'content'): Refusal {
  return refuse('IncomingBlobInvalid', { ...inRepository(key), digest, problem })
}

function isRefusal(error: unknown, code: keyof BlobRefusals | keyof ContentRefusals): boolean {
  return error instanceof Refusal && error.code === code
}

/** The upload has ended or belongs to another process by now. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Refusal)) throw error
}
