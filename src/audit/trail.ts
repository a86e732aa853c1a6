import type { Clock } from '#lib/clock.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Region } from '#names/region.ts'
import { type Actor, actorOf, challenged, type Worth, worthOf } from './actor.ts'
import { briefCall } from './brief.ts'
import { createBudgets } from './budgets.ts'
import type { AuditedCall } from './call.ts'
import { createDrops, type Drop } from './drops.ts'
import { fairShare } from './fair-share.ts'
import { createRepeatedRefusals } from './repeated-refusals.ts'
import { type AuditRow, recipientsOf, rowsOf } from './rows.ts'
import { rowOfServiceEvent, type ServiceEvent, theServer } from './service-event.ts'
import { createAuditStore, type OnWritten } from './store.ts'

/**
 * The audit trail. Calls are noted in memory and written each second, so that no call and no pull waits for it; a crash loses
 * the last second's. Pulls that are alike (`key`) become one record with their count, which is what keeps up with thousands in a second,
 * and so do refusals (`repeated-refusals.ts`). One actor cannot fill the trail: it has a budget (`budgets.ts`), and where there is no room
 * for all records, in memory or in the database, those of the actor that has most make room. What is missing is counted (`drops.ts`).
 */
export interface AuditTrail extends WriteBehind {
  /** Whether a call of that key waits to be written, which then counts for this one too. */
  repeats(key: string, at: number): boolean
  /** With a `key`, others of the same key may be counted with it. */
  record(call: AuditedCall, key?: string): void
  /** What the server did of itself, where no transaction goes with it. */
  recordServiceEvent(event: ServiceEvent): void
  /** What the server did of itself, in the transaction that does it. */
  writeServiceEvents(trx: Transaction, events: readonly ServiceEvent[]): Promise<void>
}

export interface AuditTrailParts {
  readonly metadata: Metadata
  readonly clock: Clock
  /** How long records are kept; where it is 0, none are made. */
  readonly keptMs: number
  /** Of all records together; 0 sets no limit. */
  readonly mostBytes: number
  /** Where events about the trail itself are found. */
  readonly region: Region
  /** Hears of a batch that was not written, and is tried again with the next one. */
  readonly onError: (error: unknown) => void
  /** Hears how many calls have no record, because the database took none for too long or an actor made too many. */
  readonly onLost: (count: number) => void
  /** Writes rows in the transaction that writes records. */
  readonly onWritten?: OnWritten
}

interface Noted {
  readonly actor: Actor
  /** In whose trails it belongs, of those of them that are accounts here. */
  readonly recipients: () => readonly string[]
  readonly rows: (isAccount: (account: string) => boolean) => readonly AuditRow[]
  readonly key: string | undefined
  count: number
  lastAt: number
}

const batchMs = 1_000
/** At most some 40 kB each. */
const mostWaiting = 8_192
/** So many are written without waiting for the second to end. */
const writtenAtOnce = 1_000
/** What one transaction writes: SQLite does its work in this thread. */
const rowsPerTransaction = 200
/** What a budget is charged for a record, beside its documents. */
const recordBytes = 2_048

export function createAuditTrail(parts: AuditTrailParts): AuditTrail {
  const { metadata, clock, keptMs, mostBytes, region, onError, onLost, onWritten = async () => {} } = parts
  const store = createAuditStore({
    ...{ metadata, clock, keptMs, mostBytes, onWritten },
    onEvicted: (drop) => drops.add(drop),
  })
  const drops = createDrops(region)
  const budgets = createBudgets()
  const refusals = createRepeatedRefusals<Noted>()
  let waiting: Noted[] = []
  let byKey = new Map<string, Noted>()
  /** What was dropped, and is not in the database's count yet. */
  let uncounted: readonly Drop[] = []
  let lost = 0

  /** Strangers name any account, so that the database says which are here. */
  async function settleStrangers(): Promise<void> {
    const strangers = drops.takeStrangers()
    try {
      drops.settle(strangers, await accountsAmong(strangers.map(({ actor }) => actor.account)))
    } catch (error) {
      for (const { first, ...dropped } of strangers) drops.add({ ...dropped, at: first })
      throw error
    }
  }

  async function write(): Promise<void> {
    await settleStrangers()
    for (const noted of refusals.take(clock())) note(noted)
    for (const event of drops.takeEvents(clock())) noteServiceEvent(event)
    const batch = waiting
    waiting = []
    byKey = new Map()
    if (lost > 0) onLost(lost)
    lost = 0
    if (uncounted.length === 0) uncounted = drops.takeCounts()
    let written = 0
    try {
      const isAccount = await accountsAmong(batch.flatMap(({ recipients }) => recipients()))
      for (; written < batch.length; written += rowsPerTransaction) {
        const rows = batch.slice(written, written + rowsPerTransaction).flatMap((noted) => noted.rows(isAccount))
        await insert(rows)
      }
      await insert([])
    } catch (error) {
      waiting = [...batch.slice(written), ...waiting]
      makeRoom()
      throw error
    }
    await store.trim(batch.length)
  }

  async function insert(rows: readonly AuditRow[]): Promise<void> {
    if (rows.length === 0 && uncounted.length === 0) return
    await store.insert(rows, uncounted)
    uncounted = []
  }

  async function accountsAmong(
    named: readonly string[],
    reader: Reader = metadata.reader,
  ): Promise<(account: string) => boolean> {
    const distinct = new Set(named)
    if (distinct.size === 0) return () => false
    const query = reader.selectFrom('account').select('id')
    const rows = await query.where('id', 'in', [...distinct].slice(0, mostAccounts)).execute()
    const found = new Set(rows.map(({ id }) => id))
    return (account) => found.has(account)
  }

  function drop(actor: Actor, reason: Drop['reason'], count: number): void {
    if (actor === challenged) return
    lost += count
    drops.add({ actor, reason, count, at: clock() })
  }

  function makeRoom(): void {
    if (waiting.length <= mostWaiting) return
    const { kept, removed } = fairShare(waiting, mostWaiting, ({ actor }) => `${actor.account} ${actor.id}`)
    waiting = kept
    for (const { actor, count, key } of removed) {
      drop(actor, 'memory', count)
      if (key !== undefined) byKey.delete(key)
    }
  }

  function note(noted: Noted): void {
    waiting.push(noted)
    if (noted.key !== undefined) byKey.set(noted.key, noted)
    if (waiting.length > mostWaiting + writtenAtOnce) makeRoom()
    if (waiting.length === writtenAtOnce) writeBehind.flush().catch(onError)
  }

  function noteServiceEvent(event: ServiceEvent): void {
    note({
      actor: { account: event.account, id: theServer, arn: undefined },
      recipients: () => [event.account],
      rows: (isAccount) => (isAccount(event.account) ? [rowOfServiceEvent(event)] : []),
      ...{ key: undefined, count: 1, lastAt: event.at },
    })
  }

  /** What is noted of a call, if the budget of its actor allows it. */
  function charged(call: AuditedCall, worth: Worth, key: string | undefined): Noted | undefined {
    const actor = actorOf(call)
    const { now } = call.circumstances
    const size = recordBytes + (call.parameters?.length ?? 0) + (call.response?.length ?? 0)
    if (!budgets.charge(actor, worth, size, now)) {
      drop(actor, 'budget', 1)
      return undefined
    }
    const noted: Noted = {
      actor,
      recipients: () => recipientsOf(call),
      rows: (isAccount) => rowsOf(call, noted, isAccount),
      ...{ key, count: 1, lastAt: now },
    }
    return noted
  }

  const writeBehind = createWriteBehind({ everyMs: batchMs, write, onError })

  return {
    flush: writeBehind.flush,

    async stop() {
      for (const noted of refusals.take(clock(), true)) note(noted)
      for (const event of drops.takeEvents(clock(), true)) noteServiceEvent(event)
      await writeBehind.stop()
    },

    // Flat on purpose: `bench` figure "manifest GET by tag".
    repeats(key, at) {
      if (keptMs === 0) return true
      const noted = byKey.get(key)
      if (noted === undefined) return false
      noted.count++
      noted.lastAt = at
      return true
    },

    record(call, key) {
      if (keptMs === 0) return
      const worth = worthOf(call)
      const kept = worth === 'refusal' ? briefCall(call) : call
      const make = () => charged(kept, worth, key)
      if (worth === 'refusal' && refusals.counts(kept, make)) return
      const noted = make()
      if (noted !== undefined) note(noted)
    },

    recordServiceEvent(event) {
      if (keptMs > 0) noteServiceEvent(event)
    },

    async writeServiceEvents(trx, events) {
      if (events.length === 0) return
      const isAccount = await accountsAmong(
        events.map(({ account }) => account),
        trx,
      )
      const rows = events.filter(({ account }) => isAccount(account)).map(rowOfServiceEvent)
      if (rows.length === 0) return
      // What the server did has its event also where no record is kept.
      if (keptMs > 0) await store.insertIn(trx, rows, [])
      else await onWritten(trx, rows)
    },
  }
}

/** A parameter each. */
const mostAccounts = 10_000
