import { jobKind } from '#jobs/kind.ts'
import { enqueueIfNone } from '#jobs/queue.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import { findUnevaluated } from './policy-rows.ts'
import { lifecycleRun } from './run-kind.ts'
import { type RunnerParts, runLifecyclePolicy } from './runner.ts'

/** Each policy is applied once a day at least (ECR says within 24 hours), and soon after it was put. */
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const atLeastEachMs = 24 * hourMs
const repositoriesAtOnce = 500

const findDuePolicies = jobKind({
  kind: 'find-due-lifecycle-policies',
  attempts: 5,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const lifecycleSchedule: Schedule = schedule({
  everyMs: hourMs,
  kind: findDuePolicies,
  payload: {},
})

export function createLifecycleWorkers(parts: RunnerParts): readonly Worker[] {
  const { metadata, clock } = parts
  return [
    worker(lifecycleRun, async ({ repositoryId }, { signal }) => {
      const ended = await runLifecyclePolicy(parts, repositoryId, signal)
      return ended === 'done' ? ended : { again: { repositoryId }, at: clock() + minuteMs }
    }),

    worker(findDuePolicies, async (_payload, { signal }) => {
      // Those of the next hour too, since nobody looks before it has passed.
      const since = clock() - atLeastEachMs + hourMs
      for (let after = 0; ; ) {
        signal.throwIfAborted()
        const due = await findUnevaluated(metadata.reader, since, after, repositoriesAtOnce)
        await metadata.transaction(async (trx) => {
          // One that waits for its time, since its policy has just been put, is not to come before it.
          for (const repositoryId of due) await enqueueIfNone(trx, lifecycleRun, { repositoryId }, { at: clock() })
        })
        const last = due.at(-1)
        if (last === undefined || due.length < repositoriesAtOnce) return 'done'
        after = last
      }
    }),
  ]
}
