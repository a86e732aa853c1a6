import { BoundedMap } from './bounded-map.ts'
import type { Clock } from './clock.ts'

/** Counts failures by key, in windows of fixed length: a key that failed too often in a window has to wait for its end. */
export interface FailureLimit {
  /** Milliseconds until the key may try again. 0 if it may now. */
  waitMs(key: string): number
  failed(key: string): void
}

export interface FailureLimitParts {
  readonly clock: Clock
  /** Failures in one window. */
  readonly most: number
  readonly windowMs: number
  /** Keys that are remembered. The oldest is forgotten first. */
  readonly keys: number
}

export function createFailureLimit({ clock, most, windowMs, keys }: FailureLimitParts): FailureLimit {
  const windows = new BoundedMap<string, { failures: number; readonly endsAt: number }>(keys)
  const current = (key: string) => {
    const window = windows.get(key)
    const leftMs = window === undefined ? 0 : window.endsAt - clock()
    // A clock that is set back must not make a window longer.
    return window !== undefined && leftMs > 0 && leftMs <= windowMs ? { window, leftMs } : undefined
  }
  return {
    waitMs(key) {
      const found = current(key)
      return found !== undefined && found.window.failures >= most ? found.leftMs : 0
    },
    failed(key) {
      const found = current(key)
      if (found === undefined) windows.set(key, { failures: 1, endsAt: clock() + windowMs })
      else found.window.failures++
    },
  }
}
