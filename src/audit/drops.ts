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
  /** What was dropped of callers that proved nothing, with the accounts that they named. `settle` takes it back. */
  takeStrangers(): readonly Gathered[]
  /** Counts what strangers lack for the accounts that are here, and for no account if they named any other: a caller may name each number. */
  settle(strangers: readonly Gathered[], isAccount: (account: string) => boolean): void
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

export interface Gathered {
  readonly actor: Actor
  readonly reason: Reason
  count: number
  readonly first: number
  last: number
}

const everyMs = 5 * 60_000
/** Of one event; the rest are summed. */
const mostNamed = 20
/** An actor beyond this number is counted with the others of its account, and a stranger with those of no account. */
const mostGathered = 2_000

export function createDrops(region: Region): Drops {
  let counts = new Map<string, Gathered>()
  let strangers = new Map<string, Gathered>()
  const byAccount = new Map<string, Map<string, Gathered>>()
  const toldAt = new Map<string, number>()

  function count(dropped: Gathered): void {
    // What made room was counted by the transaction that deleted it.
    if (dropped.reason !== 'size') gather(counts, dropped)
    const { account } = dropped.actor
    if (account === '') return
    const ofAccount = byAccount.get(account) ?? new Map<string, Gathered>()
    byAccount.set(account, ofAccount)
    gather(ofAccount, dropped)
  }

  return {
    add({ at, ...drop }) {
      const dropped = { ...drop, first: at, last: at }
      if (drop.actor.id === '') gather(strangers, dropped)
      else count(dropped)
    },

    takeStrangers() {
      const taken = [...strangers.values()]
      strangers = new Map()
      return taken
    },

    settle(taken, isAccount) {
      for (const dropped of taken) count(isAccount(dropped.actor.account) ? dropped : { ...dropped, actor: noAccount })
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

function gather(into: Map<string, Gathered>, dropped: Gathered): void {
  const { actor, reason, count, last } = dropped
  const key = `${reason} ${actor.account} ${actor.id}`
  const known = into.get(key)
  if (known !== undefined) {
    known.count += count
    known.last = last
    return
  }
  const rest = actor.id === '' ? noAccount : { account: actor.account, id: others, arn: undefined }
  if (into.size >= mostGathered && actor.id !== others && actor !== noAccount) {
    gather(into, { ...dropped, actor: rest })
    return
  }
  into.set(key, { ...dropped })
}

/** Of callers that proved nothing and named no account that is here. */
const noAccount: Actor = { account: '', id: '', arn: undefined }

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
