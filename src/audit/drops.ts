import type { AccountId } from '#names/account.ts'
import type { Region } from '#names/region.ts'
import type { Actor } from './actor.ts'
import { seconds } from './record.ts'
import type { ServiceEvent } from './service-event.ts'

/**
 * What is missing from the trail, by actor, so that a gap is never silent. It is counted for metrics and for `lading audit status`, and an
 * event in the trail of the actor's account names the actors and the counts.
 */
export interface Drops {
  add(drop: Drop): void
  /** How many records of each actor were never written, since the last call. */
  takeCounts(): readonly Drop[]
  /** The events that are due: of each account one at once, then one every five minutes. With `all`, also those that are not due. */
  takeEvents(now: number, all?: boolean): readonly ServiceEvent[]
}

/** `budget`: the actor used up its budget. `memory`: the database took no records for too long. `size`: it made room for others. */
type Reason = 'budget' | 'memory' | 'size'

export interface Drop {
  readonly actor: Actor
  readonly reason: Reason
  readonly count: number
  readonly at: number
}

interface Gathered {
  readonly actor: Actor
  readonly reason: Reason
  count: number
  readonly first: number
  last: number
}

const everyMs = 5 * 60_000
/** Of one event; the rest are summed. */
const mostNamed = 20
/** An actor beyond this number is counted with the others of its account. */
const mostGathered = 2_000

export function createDrops(region: Region): Drops {
  let counts = new Map<string, Gathered>()
  const byAccount = new Map<string, Map<string, Gathered>>()
  const toldAt = new Map<string, number>()

  return {
    add(drop) {
      // What made room was counted by the transaction that deleted it.
      if (drop.reason !== 'size') gather(counts, drop)
      const { account } = drop.actor
      const ofAccount = byAccount.get(account) ?? new Map<string, Gathered>()
      byAccount.set(account, ofAccount)
      gather(ofAccount, drop)
    },

    takeCounts() {
      const taken = [...counts.values()].map(({ first, ...gathered }) => ({ ...gathered, at: first }))
      counts = new Map()
      return taken
    },

    takeEvents(now, all = false) {
      const events: ServiceEvent[] = []
      for (const [account, gathered] of byAccount) {
        if (!all && now < (toldAt.get(account) ?? Number.NEGATIVE_INFINITY) + everyMs) continue
        byAccount.delete(account)
        toldAt.set(account, now)
        events.push(eventOf(account, region, [...gathered.values()], now))
      }
      return events
    },
  }
}

function gather(into: Map<string, Gathered>, { actor, reason, count, at }: Drop): void {
  const key = `${reason} ${actor.account} ${actor.id}`
  const known = into.get(key)
  if (known !== undefined) {
    known.count += count
    known.last = at
    return
  }
  if (into.size >= mostGathered && actor.id !== others) {
    gather(into, { actor: { account: actor.account, id: others, arn: undefined }, reason, count, at })
    return
  }
  into.set(key, { actor, reason, count, first: at, last: at })
}

const others = 'others'

function eventOf(account: string, region: Region, gathered: readonly Gathered[], at: number): ServiceEvent {
  const byCount = gathered.toSorted((a, b) => b.count - a.count)
  const named = byCount.slice(0, mostNamed).map(({ actor, reason, count, first, last }) => ({
    ...{ principalId: actor.id === '' ? undefined : actor.id, arn: actor.arn, reason, count },
    ...{ firstEventTime: seconds(first), lastEventTime: seconds(last) },
  }))
  return {
    // An actor is a principal, or names an account that is a role's.
    account: account as AccountId,
    ...{ region, eventName: 'AuditRecordsDropped', resources: [], at },
    details: { count: gathered.reduce((sum, { count }) => sum + count, 0), dropped: named },
  }
}
