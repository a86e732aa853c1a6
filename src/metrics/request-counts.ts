import { addToCounters } from '#jobs/counters.ts'
import type { RequestClass } from '#lib/request-class.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { answeredWithin, limitsInSeconds, millisecondsOf, requestsOf } from './request-series.ts'

/**
 * Counts what was answered, and how long that took. In memory, and written in batches to the counters that all processes share, so
 * that whichever of them is asked tells of all; what a crash loses is the last batch.
 */
export interface RequestCounts extends WriteBehind {
  /** `status` is undefined where the client went away before it had the answer. */
  record(of: RequestClass | null, status: number | undefined, ms: number): void
  /** A request that was refused because its principal made too many. */
  recordThrottled(): void
}

/** Of one class since the last batch. */
interface Cell {
  /** By the first digit of the status; at 0 those that were broken off. */
  readonly statuses: number[]
  /** By the least limit that was kept; at the end those that kept none. */
  readonly durations: number[]
  ms: number
}

const batchMs = 10_000

const throttledTotal = 'lading_throttled_requests_total'

/** What no surface has taken: metrics, and paths at which nothing is. */
const elsewhere: RequestClass = { surface: 'other', operation: 'other' }

export function createRequestCounts({
  metadata,
  onError,
}: {
  metadata: Metadata
  onError: (error: unknown) => void
}): RequestCounts {
  let cells = new Map<string, Map<string, Cell>>()
  /** By series: what a batch held that could not be written. */
  let left = new Map<string, number>()
  let throttled = 0

  async function write(): Promise<void> {
    const batch = left
    for (const [series, count] of seriesIn(cells)) batch.set(series, (batch.get(series) ?? 0) + count)
    if (throttled > 0) batch.set(throttledTotal, (batch.get(throttledTotal) ?? 0) + throttled)
    cells = new Map()
    left = new Map()
    throttled = 0
    if (batch.size === 0) return
    try {
      await metadata.transaction((trx) => addToCounters(trx, batch))
    } catch (error) {
      left = batch
      throw error
    }
  }

  function addCell(surface: string, operation: string): Cell {
    const cell = { statuses: [0, 0, 0, 0, 0, 0], durations: [0, ...limitsInSeconds.map(() => 0)], ms: 0 }
    const ofSurface = cells.get(surface) ?? new Map<string, Cell>()
    cells.set(surface, ofSurface.set(operation, cell))
    return cell
  }

  return {
    ...createWriteBehind({ everyMs: batchMs, write, onError }),
    recordThrottled() {
      throttled++
    },
    // Runs for each request (benchmark: manifest GET).
    record(of, status, ms) {
      const { surface, operation } = of ?? elsewhere
      const cell = cells.get(surface)?.get(operation) ?? addCell(surface, operation)
      const place = status === undefined ? 0 : Math.floor(status / 100)
      cell.statuses[place] = (cell.statuses[place] ?? 0) + 1
      let limit = 0
      while (limit < limitsInSeconds.length && ms > (limitsInSeconds[limit] ?? 0) * 1_000) limit++
      cell.durations[limit] = (cell.durations[limit] ?? 0) + 1
      cell.ms += ms
    },
  }
}

function* seriesIn(cells: ReadonlyMap<string, ReadonlyMap<string, Cell>>): Generator<readonly [string, number]> {
  for (const [surface, operations] of cells) {
    for (const [operation, { statuses, durations, ms }] of operations) {
      const of = { surface, operation }
      for (const [place, count] of statuses.entries()) {
        if (count > 0) yield [requestsOf(of, place === 0 ? 'aborted' : `${place}xx`), count]
      }
      let within = 0
      for (const [place, count] of durations.entries()) {
        within += count
        if (within > 0) yield [answeredWithin(of, limitsInSeconds[place] ?? Number.POSITIVE_INFINITY), within]
      }
      yield [millisecondsOf(of), Math.round(ms)]
    }
  }
}
