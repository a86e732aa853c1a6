import type { Clock } from '#lib/clock.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { AuditedCall } from './call.ts'
import { type AuditRow, recipientsOf, rowsOf } from './rows.ts'
import { rowOfServiceEvent, type ServiceEvent } from './service-event.ts'

/**
 * The audit trail. Calls are noted in memory and written each second, so that no call and no pull waits for it; a crash loses
 * the last second's. What waits is bounded: while the database does not take it, the oldest make room, and the log says how
 * many. Pulls that are alike (`key`) become one record with their count, which is what keeps up with thousands in a second.
 */
export interface AuditTrail extends WriteBehind {
  /** Whether a call of that key waits to be written, which then counts for this one too. */
  repeats(key: string, at: number): boolean
  /** With a `key`, others of the same key may be counted with it. */
  record(call: AuditedCall, key?: string): void
  /** Something that nobody called for, once it is committed. */
  recordServiceEvent(event: ServiceEvent): void
}

export interface AuditTrailParts {
  readonly metadata: Metadata
  readonly clock: Clock
  /** How long records are kept; where it is 0, none are made. */
  readonly keptMs: number
  /** Told of a batch that was not written, and tried again with the next one. */
  readonly onError: (error: unknown) => void
  /** Told how many calls are in no record, because the database took none for too long or strangers made too many. */
  readonly onLost: (count: number) => void
}

interface Noted {
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
/** How often is looked for old ones, where none were found. */
const forgettingMs = 60_000
/**
 * Calls of senders who have proved nothing: so many at once, and one more each time. Nobody may push out the records of those
 * who have, nor fill the database.
 */
const mostOfStrangers = 20
const strangerEveryMs = 10_000
/** What is kept of their parameters; the rest of a record has its limits. */
const longestOfStrangers = 1_024

export function createAuditTrail({ metadata, clock, keptMs, onError, onLost }: AuditTrailParts): AuditTrail {
  let waiting: Noted[] = []
  let byKey = new Map<string, Noted>()
  let strangersUntil = 0
  let lost = 0
  let nextForgetting = 0

  async function write(): Promise<void> {
    const batch = waiting
    waiting = []
    byKey = new Map()
    if (lost > 0) onLost(lost)
    lost = 0
    let written = 0
    try {
      const isAccount = await accountsAmong(batch)
      for (; written < batch.length; written += rowsPerTransaction) {
        const rows = batch.slice(written, written + rowsPerTransaction).flatMap((noted) => noted.rows(isAccount))
        if (rows.length > 0) await metadata.transaction((trx) => insert(trx, rows))
      }
    } catch (error) {
      waiting = [...batch.slice(written), ...waiting]
      makeRoom()
      throw error
    }
    if (batch.length === 0) await forget()
  }

  async function accountsAmong(batch: readonly Noted[]): Promise<(account: string) => boolean> {
    const named = new Set(batch.flatMap(({ recipients }) => recipients()))
    if (named.size === 0) return () => false
    const query = metadata.reader.selectFrom('account').select('id')
    const rows = await query.where('id', 'in', [...named].slice(0, mostAccounts)).execute()
    const found = new Set(rows.map(({ id }) => id))
    return (account) => found.has(account)
  }

  async function insert(trx: Transaction, rows: AuditRow[]): Promise<void> {
    await trx.insertInto('audit_event').values(rows).execute()
    // Twice as many as came, so that a backlog shrinks.
    await trx
      .deleteFrom('audit_event')
      .where('id', 'in', oldOnes(trx, 2 * rows.length))
      .execute()
  }

  function oldOnes(db: Reader, limit: number) {
    return db
      .selectFrom('audit_event')
      .select('id')
      .where('at', '<', clock() - keptMs)
      .orderBy('at')
      .limit(limit)
  }

  /** Where no new records come, old ones go all the same, a few at a time. */
  async function forget(): Promise<void> {
    if (clock() < nextForgetting) return
    const old = await oldOnes(metadata.reader, 2 * rowsPerTransaction).execute()
    const ids = old.map(({ id }) => id)
    if (ids.length === 0) nextForgetting = clock() + forgettingMs
    else await metadata.transaction((trx) => trx.deleteFrom('audit_event').where('id', 'in', ids).execute())
  }

  function hasRoomForStranger(): boolean {
    const now = clock()
    const next = Math.max(strangersUntil, now - mostOfStrangers * strangerEveryMs) + strangerEveryMs
    if (next > now) return false
    strangersUntil = next
    return true
  }

  function makeRoom(): void {
    const excess = waiting.length - mostWaiting
    if (excess <= 0) return
    for (const { count, key } of waiting.splice(0, excess)) {
      lost += count
      if (key !== undefined) byKey.delete(key)
    }
  }

  function note(noted: Noted): void {
    waiting.push(noted)
    if (noted.key !== undefined) byKey.set(noted.key, noted)
    if (waiting.length > mostWaiting + writtenAtOnce) makeRoom()
    if (waiting.length === writtenAtOnce) writeBehind.flush().catch(onError)
  }

  const writeBehind = createWriteBehind({ everyMs: batchMs, write, onError })

  return {
    ...writeBehind,

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
      const stranger = call.principal === undefined && call.error !== undefined
      if (stranger && !hasRoomForStranger()) {
        lost++
        return
      }
      const kept = stranger ? withFewParameters(call) : call
      const noted: Noted = {
        recipients: () => recipientsOf(kept),
        rows: (isAccount) => rowsOf(kept, noted, isAccount),
        ...{ key, count: 1, lastAt: call.circumstances.now },
      }
      note(noted)
    },

    recordServiceEvent(event) {
      if (keptMs === 0) return
      note({
        recipients: () => [event.account],
        rows: (isAccount) => (isAccount(event.account) ? [rowOfServiceEvent(event)] : []),
        ...{ key: undefined, count: 1, lastAt: event.at },
      })
    },
  }
}

function withFewParameters({ parameters, ...call }: AuditedCall): AuditedCall {
  return parameters === undefined || parameters.length > longestOfStrangers ? call : { ...call, parameters }
}

/** A parameter each. */
const mostAccounts = 10_000
