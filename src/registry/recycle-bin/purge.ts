import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import { deleteSome } from '#metadata/delete-some.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { parseDigest } from '#names/digest.ts'
import { noteBlobs } from '#registry/collectable.ts'
import { lockRepositoryRow } from '#registry/repository.ts'
import { purgeImages } from './rows.ts'

/** What has been in the recycle bin for its time goes for good, in steps that each commit. */
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
  name: 'empty-recycle-bin',
  everyMs: 3_600_000,
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
  for (;;) {
    signal.throwIfAborted()
    const overdue = await metadata.reader
      .selectFrom('deleted_image')
      .select(['repository_id', 'digest'])
      .where('purge_at', '<=', clock())
      .limit(imagesAtOnce)
      .execute()
    for (const [id, images] of Map.groupBy(overdue, (image) => image.repository_id)) {
      await metadata.transaction(async (trx) => {
        await lockRepositoryRow(trx, id)
        const still = await trx
          .selectFrom('deleted_image')
          .select('digest')
          .where('repository_id', '=', id)
          .where(
            'digest',
            'in',
            images.map(({ digest }) => digest),
          )
          .where('purge_at', '<=', clock())
          .execute()
        const digests = still.map(({ digest }) => parseDigest(digest))
        await purgeImages(trx, id, digests, clock())
      })
    }
    if (overdue.length < imagesAtOnce) return
  }
}

async function purgeOverdueRepositories(metadata: Metadata, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    const overdue = await metadata.reader
      .selectFrom('deleted_repository')
      .select('repository_id')
      .where('purge_at', '<=', clock())
      .orderBy('purge_at')
      .limit(1)
      .executeTakeFirst()
    if (overdue === undefined) return
    if (!(await metadata.transaction((trx) => seal(trx, overdue.repository_id, clock())))) continue
    for (const step of stepsFor(overdue.repository_id, clock)) {
      do signal.throwIfAborted()
      while (await metadata.transaction(step))
    }
  }
}

/**
 * Has nobody restore a repository any more, whatever the clock of another process tells, so that what the steps take away is missed by
 * nobody. False where somebody has restored it.
 */
async function seal(trx: Transaction, id: number, now: number): Promise<boolean> {
  await lockRepositoryRow(trx, id)
  const { numUpdatedRows } = await trx
    .updateTable('deleted_repository')
    .set({ purge_at: 0 })
    .where('repository_id', '=', id)
    .where('purge_at', '<=', now)
    .executeTakeFirst()
  return numUpdatedRows === 1n
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
    (trx) => deleteSome(trx, { table: 'link_candidate', column, owner, key: 'digest' }),
    (trx) => unlinkSome(trx, owner, clock()),
    async (trx) => {
      await trx.deleteFrom('repository_policy').where('repository_id', '=', owner).execute()
      await trx.deleteFrom('deleted_repository').where('repository_id', '=', owner).execute()
      await trx.deleteFrom('repository').where('id', '=', owner).execute()
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
  await trx
    .deleteFrom('repository_blob')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute()
  await noteBlobs(trx, digests, now)
  return true
}
