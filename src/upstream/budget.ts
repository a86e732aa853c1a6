import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { RemoteRateLimit } from '#remote/registry.ts'
import { ruleName } from './cache-rules.ts'
import { type RuleKey, readRuleStatus } from './rule-status.ts'

/**
 * How many more requests an upstream answers, by the headers of its answers. A part is kept for requests that a client waits for: work
 * that no client waits for stops before it is used up.
 */
export interface Budgets {
  record(rule: RuleKey, limit: RemoteRateLimit): void
  /**
   * When work that no client waits for may ask this upstream; milliseconds since the epoch, not after now if it may at once. What another
   * process has heard counts where this one has heard nothing later.
   */
  unaskedFrom(rule: RuleKey): Promise<number>
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

export function createBudgets({ clock, reader }: { readonly clock: Clock; readonly reader: Reader }): Budgets {
  const seen = new BoundedMap<string, SeenLimit>(mostRules)
  return {
    record(rule, limit) {
      const name = ruleName(rule)
      seen.set(name, { ...seen.get(name), ...limit, seenAt: clock() })
    },

    async unaskedFrom(rule) {
      const own = seen.get(ruleName(rule))
      const { limit: shared } = await readRuleStatus(reader, rule)
      if (shared !== undefined && shared.at > (own?.seenAt ?? 0)) {
        const { remaining, requests: limit, windowSeconds } = shared
        return unaskedFrom({ remaining, limit, windowSeconds, retryAfterMs: undefined, seenAt: shared.at })
      }
      return own === undefined ? 0 : unaskedFrom(own)
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
