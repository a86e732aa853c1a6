import { BoundedMap } from '#lib/bounded-map.ts'
import { type Bucket, fullBucket, type Rate, refill } from '#lib/bucket.ts'
import type { Actor, Worth } from './actor.ts'

/**
 * How many records, and how many bytes of them, one actor may add. Each process has budgets of its own. A call that was answered and
 * may have changed something has no budget here: quotas and `LADING_AUDIT_MAX_MIB` bound those. Neither has one that opened a session, which
 * the quota of sessions bounds: its record says who acts by that session, and a flood of reads must not hide it.
 */
export interface Budgets {
  /** Charges a record of so many bytes to its actor. False if the budget is used up. */
  charge(actor: Actor, worth: Worth, bytes: number, now: number): boolean
}

interface Budget {
  readonly records: Rate
  readonly bytes: Rate
}

const kib = 1_024

/** Two hundred thousand refusals a week, or 300 MiB, are the most that an actor leaves. */
const refusals: Budget = {
  records: { most: 300, perSecond: 1 / 3 },
  bytes: { most: 1_024 * kib, perSecond: kib / 2 },
}

/** Alike pulls within a second are one record, so that a large cluster stays below. */
const reads: Budget = {
  records: { most: 50_000, perSecond: 50 },
  bytes: { most: 65_536 * kib, perSecond: 64 * kib },
}

/** All callers that proved nothing share one budget. The account that they name does not count. */
const strangers: Budget = {
  records: { most: 20, perSecond: 0.1 },
  bytes: { most: 64 * kib, perSecond: kib / 4 },
}

/** Further actors push out the oldest, which then begin with a full budget again. */
const mostActors = 20_000

export function createBudgets(): Budgets {
  const buckets = new BoundedMap<string, { readonly records: Bucket; readonly bytes: Bucket }>(mostActors)
  return {
    charge({ account, id }, worth, size, now) {
      if (worth === 'change' || worth === 'session') return true
      const stranger = id === ''
      const budget = stranger ? strangers : worth === 'read' ? reads : refusals
      const key = stranger ? '' : `${account} ${id} ${worth}`
      let left = buckets.get(key)
      if (left === undefined) {
        left = { records: fullBucket(budget.records, now), bytes: fullBucket(budget.bytes, now) }
        buckets.set(key, left)
      }
      if (refill(left.records, budget.records, now) < 1 || refill(left.bytes, budget.bytes, now) <= 0) return false
      left.records.tokens--
      left.bytes.tokens -= size
      return true
    },
  }
}
