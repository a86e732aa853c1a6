import { setTimeout as delay } from 'node:timers/promises'

/** Holds whoever reads to so many bytes a second on average, so that disks have time for those who wait for an answer. */
export interface Pace {
  /** To be called with what was read since the last call. @throws the signal's reason when it is aborted */
  spend(bytes: number, signal: AbortSignal): Promise<void>
  /** Bytes so far. */
  readonly spent: number
}

/** Time that nobody used is not made up for: after a pause reading is no faster than before. */
const mostBehindMs = 1_000

export function createPace(bytesPerSecond: number): Pace {
  let spent = 0
  let readyAt = performance.now()
  return {
    async spend(bytes, signal) {
      signal.throwIfAborted()
      spent += bytes
      const now = performance.now()
      readyAt = Math.max(readyAt, now - mostBehindMs) + (bytes / bytesPerSecond) * 1_000
      // A timer is not worth its while for less.
      if (readyAt - now > 5) await delay(readyAt - now, undefined, { signal })
    },
    get spent() {
      return spent
    },
  }
}
