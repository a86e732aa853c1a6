import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Announcements } from './announcements.ts'
import { removeImages } from './image-removal.ts'
import { lockLive } from './image-removals.ts'
import { findKeptInUse } from './kept-in-use.ts'
import type { Repository } from './repository.ts'
import { followAfterMs, removeReferrers, type SubjectGone } from './subject-gone.ts'

/**
 * Referrers follow their subject: what signs or describes an image that was deleted goes too, unless the image is there again.
 * One that an index refers to, or that is kept in use, stays. Their own referrers follow them in turn.
 */
export function createReferrerRemoval({
  metadata,
  clock,
  announcements = {},
}: {
  metadata: Metadata
  clock: Clock
  announcements?: Partial<Announcements>
}): Worker {
  return worker(removeReferrers, async (gone, { signal }) => {
    let after: Digest | undefined
    do {
      signal.throwIfAborted()
      const last = after
      after = await metadata.transaction((trx) => removeSome(trx, gone, last, { now: clock(), announcements }))
    } while (after !== undefined)
    return 'done'
  })
}

const atOnce = 200

/** Answers after which one to go on, `undefined` once there is none left. */
async function removeSome(
  trx: Transaction,
  { repositoryId, subject, by }: SubjectGone,
  after: Digest | undefined,
  { now, announcements }: { readonly now: number; readonly announcements: Partial<Announcements> },
): Promise<Digest | undefined> {
  const live = await lockLive(trx, repositoryId)
  if (live === undefined || (await isThere(trx, repositoryId, subject))) return undefined
  // It was there again and is deleted once more: another job follows that, when its time has come.
  if (await wentAfter(trx, repositoryId, subject, now - followAfterMs)) return undefined
  const found = await findReferrers(trx, live.repository, subject, after)
  const kept = await findKeptInUse(trx, live.repository, found, now)
  const free = found.filter((digest) => !kept.has(digest))
  await removeImages(trx, live.repository, free, { by, cause: 'subject', at: now }, announcements)
  return found.length < atOnce ? undefined : found.at(-1)
}

async function isThere(trx: Transaction, id: number, digest: Digest): Promise<boolean> {
  const row = await trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', id)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row !== undefined
}

async function wentAfter(trx: Transaction, id: number, digest: Digest, time: number): Promise<boolean> {
  const row = await trx
    .selectFrom('deleted_image')
    .select('digest')
    .where('repository_id', '=', id)
    .where('digest', '=', digest)
    .where('deleted_at', '>', time)
    .executeTakeFirst()
  return row !== undefined
}

/** By digest, without those that an index refers to. */
async function findReferrers(
  trx: Transaction,
  { id }: Repository,
  subject: Digest,
  after: Digest | undefined,
): Promise<Digest[]> {
  const rows = await trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', id)
    .where('subject', '=', subject)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('manifest_reference as reference')
            .select('reference.parent')
            .where('reference.repository_id', '=', id)
            .whereRef('reference.child', '=', 'manifest.digest')
            .where('reference.kind', '=', 'manifest'),
        ),
      ),
    )
    .$if(after !== undefined, (query) => query.where('digest', '>', after ?? ''))
    .orderBy('digest')
    .limit(atOnce)
    .execute()
  return rows.map(({ digest }) => parseDigest(digest))
}
