import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { deleteWhatIf, findOverdue, keptMs } from './what-if-rows.ts'

/** Takes away what-ifs that are older than a day: nobody is shown them any more. */
const removeWhatIfs = jobKind({
  kind: 'remove-what-ifs',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const whatIfRemovalSchedule: Schedule = schedule({
  everyMs: 3_600_000,
  kind: removeWhatIfs,
  payload: {},
})

export function createWhatIfRemoval({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(removeWhatIfs, async (_payload, { signal }) => {
    const before = clock() - keptMs
    for (;;) {
      const overdue = await findOverdue(metadata.reader, before)
      if (overdue.length === 0) return 'done'
      for (const id of overdue) {
        signal.throwIfAborted()
        await metadata.transaction((trx) => deleteWhatIf(trx, id))
      }
    }
  })
}
