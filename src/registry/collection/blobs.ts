import type { BlobStore } from '#blobs/store.ts'
import { addToCounter } from '#jobs/counters.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { parseDigest } from '#names/digest.ts'
import { isHeld } from './holds.ts'
import type { CollectionWork } from './work.ts'

const blobsAtOnce = 50

/** What was stored less long ago than this may be about to be linked: a push links it within moments. */
const youngMs = 15 * 60_000

export interface BlobCollection {
  readonly blobs: number
  readonly bytes: number
}

/**
 * Deletes blobs that nothing links, row and content. The content goes within the transaction that holds the row, against the rule that
 * a transaction does no other I/O: the lock is what keeps whoever stores the same content anew from linking what is about to go
 * (`uploads.ts`), and it ends with the process that holds it, which no lease does. A crash before the commit leaves a row without
 * content, linked by nobody, for the next time; what a power loss brings back is a stray.
 */
export async function collectBlobs({ metadata, blobs, clock, signal }: CollectionWork): Promise<BlobCollection> {
  const total = { blobs: 0, bytes: 0 }
  const began = clock()
  for (;;) {
    signal.throwIfAborted()
    const step = await metadata.transaction((trx) => collectSome(trx, blobs, began, clock()))
    total.blobs += step.blobs
    total.bytes += step.bytes
    if (step.looked < blobsAtOnce) return total
  }
}

async function collectSome(trx: Transaction, store: BlobStore, began: number, now: number) {
  const none = { looked: 0, blobs: 0, bytes: 0 }
  if (await isHeld(trx, now)) return none
  const digests = await lockCandidates(trx, began)
  const looked = digests.length
  if (looked === 0) return none
  // All at once and in one order, so that of two who lock several none waits for the other in a circle.
  const locked = await trx
    .selectFrom('blob')
    .select(['digest', 'size'])
    .where('digest', 'in', digests)
    .orderBy('digest')
    .forUpdate()
    .execute()
  // After the lock: whoever linked one of them held its row, and has committed.
  const linked = await trx
    .selectFrom('repository_blob')
    .select('digest')
    .distinct()
    .where('digest', 'in', digests)
    .execute()
  const kept = new Set(linked.map(({ digest }) => digest))
  const young: string[] = []
  const gone: string[] = []
  let bytes = 0
  for (const { digest, size } of locked) {
    if (kept.has(digest)) continue
    const content = await store.stat(parseDigest(digest))
    if (content !== undefined && content.storedAt > now - youngMs) {
      young.push(digest)
      continue
    }
    await store.delete(parseDigest(digest))
    gone.push(digest)
    bytes += size
  }
  if (gone.length > 0) await trx.deleteFrom('blob').where('digest', 'in', gone).execute()
  if (young.length > 0) {
    await trx
      .updateTable('blob_candidate')
      .set({ since: Math.max(began, now) + 1 })
      .where('digest', 'in', young)
      .execute()
  }
  const done = digests.filter((digest) => !young.includes(digest))
  if (done.length > 0) await trx.deleteFrom('blob_candidate').where('digest', 'in', done).execute()
  await addToCounter(trx, 'lading_gc_blobs_total', gone.length)
  await addToCounter(trx, 'lading_gc_bytes_total', bytes)
  return { looked, blobs: gone.length, bytes }
}

/**
 * Before anything is asked about them: whoever takes a link away meanwhile notes the blob after this has ended, as a new candidate,
 * and whoever did so before is seen to have done it. The lock comes second, since an order by time is nobody else's.
 */
async function lockCandidates(trx: Transaction, before: number): Promise<string[]> {
  const due = await trx
    .selectFrom('blob_candidate')
    .select('digest')
    .where('since', '<=', before)
    .orderBy('since')
    .limit(blobsAtOnce)
    .execute()
  if (due.length === 0) return []
  const locked = await trx
    .selectFrom('blob_candidate')
    .select('digest')
    .where(
      'digest',
      'in',
      due.map(({ digest }) => digest),
    )
    .orderBy('digest')
    .forUpdate()
    .execute()
  return locked.map(({ digest }) => digest)
}
