import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { jobKind } from './kind.ts'
import { type Schedule, schedule } from './schedules.ts'
import { type Worker, worker } from './worker.ts'

/** Finished jobs are kept for a week, for whoever asks what was done. */
const dayMs = 86_400_000
const keptMs = 7 * dayMs

const cleanUpJobs = jobKind({
  kind: 'clean-up-jobs',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const cleanUpSchedule: Schedule = schedule({
  everyMs: dayMs,
  kind: cleanUpJobs,
  payload: {},
})

export function createCleanUpWorker({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(cleanUpJobs, async () => {
    await metadata.transaction((trx) =>
      trx
        .deleteFrom('job')
        .where('state', 'in', ['done', 'failed', 'cancelled'])
        .where('finished_at', '<', clock() - keptMs)
        .execute(),
    )
    return 'done'
  })
}
