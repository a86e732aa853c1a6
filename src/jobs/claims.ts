import { setTimeout as delay } from 'node:timers/promises'
import type { Holds } from './holds.ts'

/**
 * Work that all who need it share: at a time one process does it for a key, and the others wait for what it leaves in the database. A
 * process that dies holds its claim for half a minute at most.
 */
export interface Claims {
  /**
   * Returns what `find` has, or else what `work` returns. `work` runs in one process at a time for this key, and once in this process. When
   * `work` fails, the callers in this process get its error, and another process may try in its turn.
   */
  share<T>(key: string, find: () => Promise<T | undefined>, work: () => Promise<T>): Promise<T>
}

const heldMs = 30_000
const firstWaitMs = 20
const longestWaitMs = 250

export function createClaims(holds: Holds): Claims {
  const running = new Map<string, Promise<unknown>>()

  async function run<T>(key: string, find: () => Promise<T | undefined>, work: () => Promise<T>): Promise<T> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      const before = await find()
      if (before !== undefined) return before
      if (await holds.take(key, heldMs)) break
      await delay(waitMs)
    }
    // A clock that fails to renew a claim costs a second request to the upstream, and nothing else.
    const renewing = setInterval(() => void holds.take(key, heldMs).catch(() => false), heldMs / 3).unref()
    try {
      return (await find()) ?? (await work())
    } finally {
      clearInterval(renewing)
      await holds.release(key)
    }
  }

  return {
    share(key, find, work) {
      const present = running.get(key)
      // A key stands for one kind of work, so that its result has one type.
      if (present !== undefined) return present as ReturnType<typeof work>
      const started = run(key, find, work).finally(() => running.delete(key))
      running.set(key, started)
      return started
    },
  }
}
