import { jobKind } from '#jobs/kind.ts'
import { enqueue } from '#jobs/queue.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import { deleteSome } from '#metadata/delete-some.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { noteBlobs } from '#registry/collectable.ts'
import { collectGarbage } from '#registry/collection/jobs.ts'
import { dropSomeContent } from '#registry/image-content.ts'
import { findKeptInBin, isKeptInBin } from '#registry/kept-in-use.ts'
import { uncountLinks } from '#registry/storage-usage.ts'
import { lockOwner } from './owner.ts'
import { isGone, purgeImages } from './rows.ts'

/**
 * What has been in the recycle bin for its time goes for good, in steps that each commit. What has been reported as in use meanwhile, and
 * is kept for that, stays: its time is put off for as long as it is reported. That is done well before its time is up, so that it can be
 * restored all the while.
 */
const everyMs = 3_600_000

/** So long before its time is up something is looked at, and for so long it is put off. One look may fail. */
const aheadMs = 2 * everyMs

const imagesAtOnce = 200
const linksAtOnce = 500

export const emptyRecycleBin = jobKind<object>({
  kind: 'empty-recycle-bin',
  attempts: 5,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const recycleBinSchedule: Schedule = schedule({
  everyMs,
  kind: emptyRecycleBin,
  payload: {},
})

export function createRecycleBinWorker({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(emptyRecycleBin, async (_payload, { signal }) => {
    await purgeOverdueImages(metadata, clock, signal)
    await purgeOverdueRepositories(metadata, clock, signal)
    return 'done'
  })
}

async function purgeOverdueImages(metadata: Metadata, clock: Clock, signal: AbortSignal): Promise<void> {
  const before = clock() + aheadMs
  let last: { readonly purge_at: number; readonly repository_id: number; readonly digest: string } | undefined
  do {
    signal.throwIfAborted()
    const after = last
    const due = await metadata.reader
      .selectFrom('deleted_image')
      .select(['purge_at', 'repository_id', 'digest'])
      .where('purge_at', '<', before)
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple('purge_at', 'repository_id', 'digest'),
            '>',
            tuple(after?.purge_at ?? 0, after?.repository_id ?? 0, after?.digest ?? ''),
          ),
        ),
      )
      .orderBy('purge_at')
      .orderBy('repository_id')
      .orderBy('digest')
      .limit(imagesAtOnce)
      .execute()
    for (const [id, images] of Map.groupBy(due, (image) => image.repository_id)) {
      const digests = images.map(({ digest }) => parseDigest(digest))
      await metadata.transaction((trx) => purgeOrPutOff(trx, id, digests, clock()))
    }
    last = due.length < imagesAtOnce ? undefined : due.at(-1)
  } while (last !== undefined)
}

async function purgeOrPutOff(trx: Transaction, id: number, digests: readonly Digest[], now: number): Promise<void> {
  const owner = await lockOwner(trx, id)
  if (owner === undefined) return
  const still = () =>
    trx.selectFrom('deleted_image').select('digest').where('repository_id', '=', id).where('digest', 'in', digests)
  const due = await still()
    .where('purge_at', '<', now + aheadMs)
    .where(isGone)
    .execute()
  const kept = await findKeptInBin(
    trx,
    owner,
    due.map(({ digest }) => parseDigest(digest)),
    now,
  )
  if (kept.size > 0) {
    await trx
      .updateTable('deleted_image')
      .set({ purge_at: now + aheadMs })
      .where('repository_id', '=', id)
      .where('digest', 'in', [...kept.keys()])
      .execute()
  }
  const overdue = await still().where('purge_at', '<=', now).execute()
  await purgeImages(
    trx,
    id,
    overdue.map(({ digest }) => parseDigest(digest)),
    now,
  )
}

async function purgeOverdueRepositories(metadata: Metadata, clock: Clock, signal: AbortSignal): Promise<void> {
  const before = clock() + aheadMs
  let last: { readonly purge_at: number; readonly repository_id: number } | undefined
  for (;;) {
    signal.throwIfAborted()
    const after = last
    const due = await metadata.reader
      .selectFrom('deleted_repository')
      .select(['purge_at', 'repository_id'])
      .where('purge_at', '<', before)
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('purge_at', 'repository_id'), '>', tuple(after?.purge_at ?? 0, after?.repository_id ?? 0)),
        ),
      )
      .orderBy('purge_at')
      .orderBy('repository_id')
      .limit(1)
      .executeTakeFirst()
    if (due === undefined) return
    last = due
    if (!(await metadata.transaction((trx) => sealOrPutOff(trx, due.repository_id, clock())))) continue
    for (const step of stepsFor(due.repository_id, clock)) {
      do signal.throwIfAborted()
      while (await metadata.transaction(step))
    }
  }
}

/** That of a repository which is being taken away, from a time that no clock tells any more. */
const sealed = 0

/**
 * Has nobody restore a repository any more, whatever the clock of another process tells, so that what the steps take away is missed by
 * nobody. False where its time has not come, or somebody has restored it.
 */
async function sealOrPutOff(trx: Transaction, id: number, now: number): Promise<boolean> {
  const owner = await lockOwner(trx, id)
  if (owner?.purgeAt === undefined) return false
  if (owner.purgeAt === sealed) return true
  const kept = owner.purgeAt < now + aheadMs && (await isKeptInBin(trx, owner, now))
  if (!kept && owner.purgeAt > now) return false
  await trx
    .updateTable('deleted_repository')
    .set({ purge_at: kept ? now + aheadMs : sealed })
    .where('repository_id', '=', id)
    .execute()
  return !kept
}

/** In the order in which rows refer to one another. Each is taken until it finds nothing more. */
function stepsFor(owner: number, clock: Clock): ((trx: Transaction) => Promise<boolean>)[] {
  const column = 'repository_id'
  return [
    (trx) => deleteSome(trx, { table: 'tag_move', column, owner, key: 'id' }),
    (trx) => deleteSome(trx, { table: 'tag', column, owner, key: 'tag' }),
    (trx) => deleteSome(trx, { table: 'manifest_reference', column, owner, key: 'parent' }),
    (trx) => deleteSome(trx, { table: 'manifest', column, owner, key: 'digest' }),
    (trx) => deleteSome(trx, { table: 'deleted_image_reference', column, owner, key: 'parent' }),
    (trx) => deleteSome(trx, { table: 'deleted_image', column, owner, key: 'digest' }),
    (trx) => dropSomeContent(trx, owner),
    (trx) => deleteSome(trx, { table: 'replication_item', column, owner, key: 'id' }),
    (trx) => deleteSome(trx, { table: 'replica', column, owner, key: 'digest' }),
    (trx) => deleteSome(trx, { table: 'link_candidate', column, owner, key: 'digest' }),
    (trx) => unlinkSome(trx, owner, clock()),
    async (trx) => {
      await trx.deleteFrom('repository_policy').where('repository_id', '=', owner).execute()
      await trx.deleteFrom('deleted_repository').where('repository_id', '=', owner).execute()
      await trx.deleteFrom('repository').where('id', '=', owner).execute()
      // Whose blobs have no link any more. Those of an image have theirs for the grace, and need no haste.
      await enqueue(trx, collectGarbage, {}, { at: clock() })
      return false
    },
  ]
}

async function unlinkSome(trx: Transaction, repositoryId: number, now: number): Promise<boolean> {
  const links = await trx
    .selectFrom('repository_blob')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .orderBy('digest')
    .limit(linksAtOnce)
    .execute()
  if (links.length === 0) return false
  const digests = links.map(({ digest }) => parseDigest(digest))
  const gone = await trx
    .deleteFrom('repository_blob')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .returning('digest')
    .execute()
  await uncountLinks(
    trx,
    repositoryId,
    gone.map(({ digest }) => digest),
  )
  await noteBlobs(trx, digests, now)
  return true
}
