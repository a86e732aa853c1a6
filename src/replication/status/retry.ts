import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { requireDestination } from '#replication/named-destinations.ts'
import { retryRuns } from '#replication/runs/worker.ts'

/** Attempts that would be made later, made now. */
export interface ReplicationRetry {
  /**
   * Of each destination, or of one, with runs that wait for it. Images of paused back-fills stay where they are. Returns how many images are tried.
   *
   * @throws Refusal `ReplicationDestinationNotFound`
   */
  retry(source: Registry, destination: Registry | undefined): Promise<number>
}

/** Each batch is a transaction, so that pushes wait for none of them for long. */
const itemsAtOnce = 1_000

export function createReplicationRetry({
  metadata,
  clock,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
}): ReplicationRetry {
  return {
    async retry(source, destination) {
      if (destination !== undefined) await requireDestination(metadata.reader, source, destination)
      const now = clock()
      let count = 0
      for (let after = 0; ; ) {
        const last = await metadata.transaction(async (trx) => {
          const rows = await trx
            .selectFrom('replication_item')
            .select('id')
            .where('source_account', '=', source.account)
            .where('source_region', '=', source.region)
            .$if(destination !== undefined, (query) =>
              query.where('account', '=', destination?.account ?? '').where('region', '=', destination?.region ?? ''),
            )
            .where('due_at', '>', now)
            .where('id', '>', after)
            .orderBy('id')
            .limit(itemsAtOnce)
            .execute()
          if (rows.length === 0) return undefined
          const ids = rows.map(({ id }) => id)
          await trx.updateTable('replication_item').set({ due_at: now }).where('id', 'in', ids).execute()
          count += ids.length
          return ids.at(-1)
        })
        if (last === undefined) break
        after = last
      }
      await metadata.transaction(async (trx) => {
        await retryRuns(trx, source, destination, now)
        await trx
          .updateTable('replication_destination')
          .set({ next_at: 0, failures: 0 })
          .where('source_account', '=', source.account)
          .where('source_region', '=', source.region)
          .$if(destination !== undefined, (query) =>
            query.where('account', '=', destination?.account ?? '').where('region', '=', destination?.region ?? ''),
          )
          .execute()
      })
      return count
    },
  }
}
