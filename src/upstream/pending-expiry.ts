import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'

/**
 * Removes manifests that refer to content which did not come for a week. A client that pulls one later asks the upstream again. Also removes claims that
 * dead processes left.
 */
const dayMs = 24 * 60 * 60_000
const keptMs = 7 * dayMs

const expirePending = jobKind<object>({
  kind: 'expire-pending-manifests',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const pendingExpirySchedule: Schedule = schedule({ everyMs: dayMs, kind: expirePending, payload: {} })

export function createPendingExpiry({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(expirePending, async () => {
    const before = clock() - keptMs
    await metadata.transaction(async (trx) => {
      await trx.deleteFrom('pending_manifest').where('fetched_at', '<', before).execute()
      await trx.deleteFrom('claim').where('held_until', '<', before).execute()
    })
    return 'done'
  })
}
