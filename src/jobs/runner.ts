import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import { oneLook } from '#lib/one-look.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { backoffMs } from './backoff.ts'
import type { JobPlace } from './kind.ts'
import { createLeases, type Ending, type Lease } from './leases.ts'
import { fireSchedules, registerSchedules, type Schedule } from './schedules.ts'
import type { Outcome, Worker } from './worker.ts'

/** Does what is due, in this process: looks about once a second, has some jobs run at once, and keeps their leases. */
export interface JobRunner {
  start(): Promise<void>
  /** Tells the running jobs to end, and gives back those that did not. Resolves when none runs. */
  stop(): Promise<void>
}

export interface JobRunnerParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly workers: readonly Worker[]
  readonly schedules: readonly Schedule[]
  /** Unlike that of any other process, now or before. */
  readonly processId: string
  /** Told of each attempt that failed, and of what kept the runner itself from looking. */
  readonly onError: (
    error: unknown,
    job?: { readonly kind: string; readonly key: string; readonly attempt: number },
  ) => void
  /** Between 0 and 1, spreads what is tried again. */
  readonly random?: () => number
  readonly atOnce?: number
  readonly pollMs?: number
}

/** They wait for other servers most of the time. */
const transfersAtOnce = 4

/** Of an error's text, which may quote anything. */
const longestError = 500

export function createJobRunner({
  metadata,
  clock,
  workers: list,
  schedules,
  processId,
  onError,
  random = Math.random,
  atOnce = 2,
  pollMs = 1_000,
}: JobRunnerParts): JobRunner {
  const places = [
    placeFor(list, { place: 'ordinary', atOnce }),
    placeFor(list, { place: 'aside', atOnce: 1 }),
    placeFor(list, { place: 'transfer', atOnce: transfersAtOnce }),
  ]
  const leases = createLeases({
    ...{ metadata, clock, processId },
    onGivenUp: (reason, lease) => onError(new Error(reason), lease),
  })
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const looks = oneLook(takeDue, onError)

  async function takeDue(): Promise<void> {
    await fireSchedules(metadata, schedules, clock())
    for (const place of places) await fill(place)
  }

  async function fill({ workers, atOnce, running }: Place): Promise<void> {
    while (running.size < atOnce && !stopping.signal.aborted) {
      const lease = await leases.take(workers, [...running.keys()])
      if (lease === undefined) return
      running.set(
        lease.id,
        run(lease, workers.get(lease.kind))
          .catch(onError)
          .finally(() => {
            running.delete(lease.id)
            looks.ask()
          }),
      )
    }
  }

  async function run(lease: Lease, worker: Worker | undefined): Promise<void> {
    if (worker === undefined) return
    const lost = new AbortController()
    const signal = AbortSignal.any([stopping.signal, lost.signal])
    const renewing = setInterval(() => {
      leases.renew(lease, worker.leaseMs).then((held) => held || lost.abort(), onError)
    }, worker.leaseMs / 3)
    let ending: Ending
    try {
      ending = endingOf(await worker.work(lease.document, { signal }))
    } catch (error) {
      // Told to end, and did: that is no failure.
      if (lost.signal.aborted) return
      if (stopping.signal.aborted) {
        ending = { state: 'waiting', at: clock(), attempts: lease.attempt - 1 }
      } else {
        onError(error, lease)
        ending = endingOfFailure(error, lease, worker)
      }
    } finally {
      clearInterval(renewing)
    }
    if (!lost.signal.aborted) await end(lease, ending)
  }

  function endingOf(outcome: Outcome<unknown>): Ending {
    if (outcome === 'done') return { state: 'done' }
    if ('done' in outcome) return { state: 'done', document: outcome.done }
    if ('giveUp' in outcome) return { state: 'failed', error: outcome.giveUp.slice(0, longestError) }
    return { state: 'waiting', at: outcome.at, attempts: 0, document: outcome.again }
  }

  function endingOfFailure(failure: unknown, { attempt }: Lease, { attempts }: Worker): Ending {
    const error = (failure instanceof Error ? failure.message : String(failure)).slice(0, longestError)
    if (attempt >= attempts) return { state: 'failed', error }
    return { state: 'waiting', at: clock() + backoffMs(attempt, random()), attempts: attempt, error }
  }

  /** A row that cannot be written now keeps its lease, after which the job is done again: worth another try before that. */
  async function end(lease: Lease, ending: Ending): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await leases.end(lease, ending)
      } catch (error) {
        if (tries === 3) throw error
        await delay(100 * tries)
      }
    }
  }

  return {
    async start() {
      await registerSchedules(metadata, schedules, clock())
      timer = setInterval(looks.ask, pollMs).unref()
      looks.ask()
    },

    async stop() {
      stopping.abort()
      clearInterval(timer)
      await looks.stop()
      await Promise.all(places.flatMap(({ running }) => [...running.values()]))
    },
  }
}

/** Where jobs of some kinds run, so many at once; by the job's id. */
interface Place {
  readonly workers: ReadonlyMap<string, Worker>
  readonly atOnce: number
  readonly running: Map<number, Promise<void>>
}

function placeFor(
  list: readonly Worker[],
  { place, atOnce }: { readonly place: JobPlace; readonly atOnce: number },
): Place {
  const workers = list.filter((worker) => worker.place === place)
  return { workers: new Map(workers.map((worker) => [worker.kind, worker])), atOnce, running: new Map() }
}
