import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { deleteReport } from './in-use-reports.ts'

/** Takes away reports of images in use that have expired. Nothing is kept for them any more, be they there or not. */
const removeInUseReports = jobKind({
  kind: 'remove-in-use-reports',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const inUseExpirySchedule: Schedule = schedule({
  everyMs: 3_600_000,
  kind: removeInUseReports,
  payload: {},
})

export function createInUseExpiry({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(removeInUseReports, async (_payload, { signal }) => {
    for (;;) {
      signal.throwIfAborted()
      const now = clock()
      // Under the row's lock, so that a report which comes meanwhile is another one.
      const found = await metadata.transaction(async (trx) => {
        const row = await trx
          .selectFrom('in_use_report')
          .select(['account', 'region', 'cluster'])
          .where('expires_at', '<=', now)
          .limit(1)
          .forUpdate()
          .executeTakeFirst()
        if (row === undefined) return false
        const registry = { account: parseAccountId(row.account), region: parseRegion(row.region) }
        await deleteReport(trx, registry, row.cluster)
        return true
      })
      if (!found) return 'done'
    }
  })
}
