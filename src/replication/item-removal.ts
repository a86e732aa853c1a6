import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'

/**
 * Removes what is known of copies of images that their source does not have any more, not in the recycle bin either, and uploads that no
 * attempt went on with for a week.
 */
const removeItems = jobKind<{ readonly after: number }>({
  kind: 'remove-replication-items',
  attempts: 3,
  leaseMs: 60_000,
  parse: (document) => document as { readonly after: number },
  key: () => 'all',
})

const dayMs = 24 * 60 * 60_000
/** Some milliseconds on SQLite, where a statement holds the process. */
const itemsAtOnce = 1_000

export const itemRemovalSchedule: Schedule = schedule({
  ...{ everyMs: dayMs, kind: removeItems, payload: { after: 0 } },
  ifNoneIsThere: true,
})

export function createItemRemoval({ metadata, clock }: { readonly metadata: Metadata; readonly clock: Clock }): Worker {
  async function findPage(after: number) {
    const rows = await metadata.reader
      .selectFrom('replication_item as item')
      .leftJoin('manifest', (join) =>
        join.onRef('manifest.repository_id', '=', 'item.repository_id').onRef('manifest.digest', '=', 'item.digest'),
      )
      .leftJoin('deleted_image as bin', (join) =>
        join.onRef('bin.repository_id', '=', 'item.repository_id').onRef('bin.digest', '=', 'item.digest'),
      )
      .select(['item.id', 'item.revision', 'item.due_at', 'manifest.digest as stored', 'bin.digest as deleted'])
      .where('item.id', '>', after)
      .orderBy('item.id')
      .limit(itemsAtOnce)
      .execute()
    const gone = rows.filter(({ due_at, stored, deleted }) => due_at === null && stored === null && deleted === null)
    return { last: rows.length < itemsAtOnce ? undefined : rows.at(-1)?.id, gone }
  }

  return worker(removeItems, async (payload, { signal }) => {
    for (let after: number | undefined = payload.after; after !== undefined && !signal.aborted; ) {
      const { last, gone } = await findPage(after)
      if (gone.length > 0) {
        await metadata.transaction(async (trx) => {
          // A push that comes meanwhile changes the revision.
          for (const { id, revision } of gone) {
            await trx.deleteFrom('replication_item').where('id', '=', id).where('revision', '=', revision).execute()
          }
        })
      }
      after = last
    }
    await metadata.transaction((trx) =>
      trx
        .deleteFrom('replication_upload')
        .where('touched_at', '<', clock() - 7 * dayMs)
        .execute(),
    )
    return 'done'
  })
}
