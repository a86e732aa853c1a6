import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { RemoteRateLimit } from '#remote/registry.ts'

/**
 * How many more requests an upstream answers, by the headers of its answers. A part is kept for requests that a client waits for: work
 * that no client waits for stops before it is used up.
 */
export interface Budgets {
  record(rule: string, limit: RemoteRateLimit): void
  /** When work that no client waits for may ask this upstream; milliseconds since the epoch, not after now if it may at once. */
  unaskedFrom(rule: string): number
  /** What the upstream said last. */
  find(rule: string): SeenLimit | undefined
}

export interface SeenLimit extends RemoteRateLimit {
  /** Milliseconds since the epoch. */
  readonly seenAt: number
}

const mostRules = 10_000
/** Of the limit, for requests that a client waits for. */
const reservedShare = 0.2
const leastReserve = 5
/** An upstream frees its budget bit by bit, so that a look now and then finds some. */
const lookAgainMs = 10 * 60_000

export function createBudgets({ clock }: { readonly clock: Clock }): Budgets {
  const seen = new BoundedMap<string, SeenLimit>(mostRules)
  return {
    record: (rule, limit) => void seen.set(rule, { ...seen.get(rule), ...limit, seenAt: clock() }),
    find: (rule) => seen.get(rule),
    unaskedFrom(rule) {
      const last = seen.get(rule)
      return last === undefined ? 0 : unaskedFrom(last)
    },
  }
}

/** Pure. When work that no client waits for may go on. */
export function unaskedFrom({ seenAt, limit, remaining, windowSeconds, retryAfterMs }: SeenLimit): number {
  if (retryAfterMs !== undefined) return seenAt + retryAfterMs
  if (limit === undefined || remaining === undefined) return 0
  if (remaining > Math.max(leastReserve, Math.ceil(limit * reservedShare))) return 0
  return seenAt + Math.min(lookAgainMs, (windowSeconds ?? Number.POSITIVE_INFINITY) * 1_000)
}
