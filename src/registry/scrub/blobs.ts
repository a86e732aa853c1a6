import { createHash } from 'node:crypto'
import type { BlobReader, BlobStore } from '#blobs/store.ts'
import { addToCounter } from '#jobs/counters.ts'
import { hasCode } from '#lib/system-error.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '#names/digest.ts'
import type { Pace } from './pace.ts'
import { requireStore } from './store-there.ts'

/**
 * Reads one blob after the other and puts aside what is not the content that its digest names. Content is put aside in a transaction
 * that holds the blob's row, as content is deleted (`collection/blobs.ts`), and only if it is the very content that was read: who
 * stores the blob anew meanwhile publishes first, then takes the row's lock and looks whether it is there, so that no push is
 * acknowledged whose content is then taken away.
 */

export interface ScrubWork {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly clock: () => number
  readonly pace: Pace
  readonly signal: AbortSignal
  /** Writes rows about what was found, in the transaction that puts it aside. */
  readonly onBlobDamaged: (trx: Transaction, digest: Digest, problem: BlobProblem) => Promise<void>
  readonly onManifestDamaged: (trx: Transaction, damaged: DamagedManifest) => Promise<void>
}

export interface DamagedManifest {
  readonly repositoryId: number
  readonly digest: Digest
}

/** What is wrong with a blob: other bytes, another number of them, none, or a disk that does not give them. */
export type BlobProblem = 'content' | 'length' | 'missing' | 'unreadable'

export interface StoredBlob {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly isQuarantined: boolean
}

/** By digest, after the one given. */
export async function readBlobsAfter({ reader }: Metadata, after: string, limit: number): Promise<StoredBlob[]> {
  const rows = await reader
    .selectFrom('blob')
    .selectAll()
    .where('digest', '>', after)
    .orderBy('digest')
    .limit(limit)
    .execute()
  return rows.map(({ digest, size, quarantined_at }) => ({
    digest: parseDigest(digest),
    sizeBytes: size,
    isQuarantined: quarantined_at !== null,
  }))
}

/**
 * What was found wrong, and was not known before; afterwards the blob is in quarantine.
 *
 * @throws where all of the store seems to be gone
 */
export async function scrubBlob(work: ScrubWork, blob: StoredBlob): Promise<BlobProblem | undefined> {
  const { metadata, blobs } = work
  await using reader = await blobs.open(blob.digest)
  // What memory or a cable once changed on its way is not put aside.
  const problem = (await examine(work, blob, reader)) && (await examine(work, blob, reader))
  if (problem === undefined) {
    if (blob.isQuarantined) await metadata.transaction((trx) => markQuarantined(trx, blob.digest, null))
    return undefined
  }
  if (reader === undefined && blob.isQuarantined) return undefined
  if (problem === 'missing' || problem === 'unreadable') await requireStore(work)
  // Outside of the transaction, which may run again after a deadlock: the content has been moved by then.
  const aside = { isDone: false }
  const marked = await metadata.transaction((trx) => quarantine(trx, work, blob.digest, { reader, aside, problem }))
  return marked ? problem : undefined
}

async function examine(
  { pace, signal }: ScrubWork,
  { digest, sizeBytes }: StoredBlob,
  reader: BlobReader | undefined,
): Promise<BlobProblem | undefined> {
  if (reader === undefined) return 'missing'
  if (reader.sizeBytes !== sizeBytes) return 'length'
  const hash = createHash(digestAlgorithm(digest))
  try {
    for await (const chunk of reader.chunks()) {
      hash.update(chunk)
      await pace.spend(chunk.length, signal)
    }
  } catch (error) {
    if (hasCode(error, 'EIO')) return 'unreadable'
    throw error
  }
  return hash.digest('hex') === digestHex(digest) ? undefined : 'content'
}

/** False if the blob is another by now, or gone. */
async function quarantine(
  trx: Transaction,
  { blobs, clock, onBlobDamaged }: ScrubWork,
  digest: Digest,
  {
    reader,
    aside,
    problem,
  }: {
    readonly reader: BlobReader | undefined
    readonly aside: { isDone: boolean }
    readonly problem: BlobProblem
  },
): Promise<boolean> {
  const row = await trx.selectFrom('blob').select('digest').where('digest', '=', digest).forUpdate().executeTakeFirst()
  if (row === undefined) return false
  if (reader !== undefined && !aside.isDone) aside.isDone = await blobs.setAside(digest, reader)
  if (reader !== undefined && !aside.isDone) return false
  // What is there now was stored anew.
  if ((await blobs.stat(digest)) !== undefined) return false
  await markQuarantined(trx, digest, clock())
  await addToCounter(trx, 'lading_scrub_damaged_total', 1)
  await onBlobDamaged(trx, digest, problem)
  return true
}

async function markQuarantined(trx: Transaction, digest: Digest, at: number | null): Promise<void> {
  await trx.updateTable('blob').set({ quarantined_at: at }).where('digest', '=', digest).execute()
}
