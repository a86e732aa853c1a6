import { setTimeout as delay } from 'node:timers/promises'
import type { Holds } from '#jobs/holds.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Destination, FindDestination, Outcome, Settle } from './destination.ts'
import type { ReplicationItem } from './item.ts'
import { findDueItems, findDueRoutes, findNextAt, findStillDue, type Route } from './queue.ts'
import { registryText } from './rules.ts'

/**
 * Copies what is due, in this process: it looks about twice a second for routes on which something is due, and works on each for as long as
 * there is something. One process at a time works on a destination.
 */
export interface Replicator {
  start(): void
  /** Ends what runs between two steps. Resolves when nothing runs. */
  stop(): Promise<void>
}

export interface ReplicatorParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly holds: Holds
  readonly findDestination: FindDestination
  readonly settle: Settle
  /** Those of these items that a rule still asks for. */
  readonly findWanted: (items: readonly ReplicationItem[]) => Promise<readonly ReplicationItem[]>
  readonly onError: (error: unknown, about?: Route) => void
  readonly pollMs?: number
  /** How long a process that died keeps its destinations from others. */
  readonly heldMs?: number
}

export function createReplicator(parts: ReplicatorParts): Replicator {
  const { metadata, clock, holds, findDestination, settle, findWanted, onError } = parts
  const { pollMs = 500, heldMs = 10_000 } = parts
  const stopping = new AbortController()
  const running = new Map<string, Promise<void>>()
  /** How many routes of this process need each key. */
  const held = new Map<string, number>()
  const releasing = new Map<string, Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined

  function look(): void {
    if (looking !== undefined || stopping.signal.aborted) return
    looking = startDue()
      .catch((error: unknown) => onError(error))
      .finally(() => {
        looking = undefined
      })
  }

  async function startDue(): Promise<void> {
    for (const route of await findDueRoutes(metadata.reader, clock())) {
      const name = `${registryText(route.source)} ${registryText(route.destination)}`
      if (running.has(name) || stopping.signal.aborted) continue
      const destination = findDestination(route.source, route.destination)
      if (destination.closedUntil(clock()) !== undefined) continue
      if (!(await hold(destination.leaseKey))) continue
      const work = runHeld(route, destination)
        .catch((error: unknown) => onError(error, route))
        .finally(() => running.delete(name))
      running.set(name, work)
    }
  }

  /** Counts first, so that a route that ends meanwhile does not release what another has just taken. */
  async function hold(leaseKey: string): Promise<boolean> {
    await releasing.get(leaseKey)
    held.set(leaseKey, (held.get(leaseKey) ?? 0) + 1)
    let isHeld = false
    try {
      isHeld = await holds.take(leaseKey, heldMs)
    } finally {
      if (!isHeld) uncount(leaseKey)
    }
    return isHeld
  }

  /** Answers how many routes are left. */
  function uncount(leaseKey: string): number {
    const left = (held.get(leaseKey) ?? 1) - 1
    if (left > 0) held.set(leaseKey, left)
    else held.delete(leaseKey)
    return left
  }

  async function runHeld(route: Route, destination: Destination): Promise<void> {
    const { leaseKey } = destination
    const lost = new AbortController()
    const renewing = setInterval(() => {
      holds.take(leaseKey, heldMs).then((kept) => kept || lost.abort(), onError)
    }, heldMs / 3)
    try {
      await runRoute(route, destination, AbortSignal.any([stopping.signal, lost.signal]))
    } finally {
      clearInterval(renewing)
      if (uncount(leaseKey) === 0) {
        const released = holds.release(leaseKey).finally(() => releasing.delete(leaseKey))
        releasing.set(leaseKey, released)
        await released
      }
    }
  }

  async function runRoute(route: Route, destination: Destination, signal: AbortSignal): Promise<void> {
    const inFlight = new Set<number>()
    /** Taken one after the other, so that no item is in two batches. */
    let taking: Promise<unknown> = Promise.resolve()

    function take(): Promise<readonly ReplicationItem[]> {
      const taken = taking.then(async () => {
        const now = clock()
        if (signal.aborted || destination.closedUntil(now) !== undefined) return []
        if ((await findNextAt(metadata.reader, route)) > now) return []
        const limit = destination.batch
        const items = await findDueItems(metadata.reader, route, { limit, except: inFlight, now })
        for (const { id } of items) inFlight.add(id)
        return items
      })
      taking = taken.catch(() => {})
      return taken
    }

    /** Stays while another lane works, so that a large image holds up no push that comes later. */
    async function runLane(): Promise<void> {
      for (;;) {
        const items = await take()
        if (items.length === 0 && (inFlight.size === 0 || signal.aborted)) return
        if (items.length === 0) await delay(pollMs, undefined, { signal }).catch(() => {})
        try {
          if (items.length > 0) await replicate(destination, items, signal)
        } finally {
          for (const { id } of items) inFlight.delete(id)
        }
      }
    }

    const ended = await Promise.allSettled(Array.from({ length: destination.lanes }, runLane))
    for (const end of ended) if (end.status === 'rejected' && !signal.aborted) onError(end.reason, route)
  }

  async function replicate(
    destination: Destination,
    items: readonly ReplicationItem[],
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = await findWanted(items)
    const unwanted = items.filter((item) => !wanted.includes(item))
    if (unwanted.length > 0) await settleAll(unwanted, { kind: 'gone' })
    if (wanted.length === 0) return
    try {
      await destination.replicate(wanted, settle, { signal })
    } catch (error) {
      if (signal.aborted) return
      onError(error)
      const reason = error instanceof Error ? error.message : String(error)
      const left = await findStillDue(metadata.reader, wanted, clock())
      await settleAll(left, { kind: 'failed', code: 'InternalError', reason })
    }
  }

  async function settleAll(items: readonly ReplicationItem[], outcome: Outcome): Promise<void> {
    await metadata.transaction(async (trx) => {
      for (const item of items) await settle(trx, item, outcome)
    })
  }

  return {
    start() {
      timer = setInterval(look, pollMs).unref()
      look()
    },
    async stop() {
      stopping.abort()
      clearInterval(timer)
      await looking
      await Promise.all(running.values())
    },
  }
}
