import { sql } from 'kysely'
import { addToCounter } from '#jobs/counters.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Drop } from './drops.ts'
import { findLargest, type Share } from './largest.ts'
import type { AuditRow } from './rows.ts'

/**
 * The rows of the trail, and how many bytes of it each actor has (`audit_usage`), which changes in the same transaction. Records that are too
 * old are deleted. Where the trail is too large, the account that has most of it makes room, and in that account the actor that has most.
 */
export interface AuditStore {
  /** In one transaction. */
  insert(rows: readonly AuditRow[], drops: readonly Drop[]): Promise<void>
  /** In the transaction of the caller. */
  insertIn(trx: Transaction, rows: readonly AuditRow[], drops: readonly Drop[]): Promise<void>
  /** Deletes what is too old and what is too much, a bounded number at a time. `written` says how many records just came. */
  trim(written: number): Promise<void>
}

export interface AuditStoreParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly keptMs: number
  /** Of all records together; 0 sets no limit. */
  readonly mostBytes: number
  /** Hears how many records made room for others. */
  readonly onEvicted: (drop: Drop) => void
  /** Called in the transaction that writes the records. */
  readonly onWritten: OnWritten
}

export type OnWritten = (trx: Transaction, rows: readonly AuditRow[]) => Promise<void>

interface Change extends Share {
  records: number
  bytes: number
  dropped: number
  evicted: number
}

/** What one transaction deletes: SQLite does its work in this thread. */
const rowsPerStep = 200
const stepsAtOnce = 10
/** How often is looked for old records, where none were found. */
const forgettingMs = 60_000

export function createAuditStore(parts: AuditStoreParts): AuditStore {
  const { metadata, clock, keptMs, mostBytes, onEvicted, onWritten } = parts
  let nextForgetting = 0

  function oldest(db: Reader, limit: number) {
    return db
      .selectFrom('audit_event')
      .select('id')
      .where('at', '<', clock() - keptMs)
      .orderBy('at')
      .limit(limit)
  }

  /** Twice as many as came, so that a backlog shrinks. */
  async function forget(written: number): Promise<void> {
    if (written === 0 && clock() < nextForgetting) return
    const old = await oldest(metadata.reader, 2 * Math.max(written, rowsPerStep)).execute()
    if (old.length === 0) nextForgetting = clock() + forgettingMs
    const ids = old.map(({ id }) => id)
    if (ids.length > 0) await metadata.transaction((trx) => remove(trx, ids, 0))
  }

  async function makeRoom(): Promise<void> {
    for (let step = 0; step < stepsAtOnce; step++) {
      const shares = await findLargest(metadata.reader, mostBytes)
      if (shares.length === 0) return
      const evicted = await metadata.transaction(async (trx) => {
        const counts: { readonly share: Share; readonly count: number }[] = []
        for (const share of shares) {
          const ids = await selectOldest(trx, share, Math.ceil(rowsPerStep / shares.length))
          counts.push({ share, count: await remove(trx, ids, 1) })
        }
        await addToCounter(trx, 'lading_audit_evicted_total', sumOf(counts))
        return counts
      })
      if (sumOf(evicted) === 0) return
      for (const { share, count } of evicted) {
        const actor = { account: share.account, id: share.actor, arn: undefined }
        if (count > 0) onEvicted({ actor, reason: 'size', count, at: clock() })
      }
    }
  }

  async function insertIn(trx: Transaction, rows: readonly AuditRow[], drops: readonly Drop[]): Promise<void> {
    if (rows.length > 0) await trx.insertInto('audit_event').values(rows).execute()
    const changes = new Map<string, Change>()
    for (const { actor_account: account, actor, lasting, bytes } of rows) {
      const change = changeOf(changes, { account, actor, lasting })
      change.records++
      change.bytes += bytes
    }
    let dropped = 0
    for (const { actor, count } of drops) {
      changeOf(changes, { account: actor.account, actor: actor.id, lasting: 0 }).dropped += count
      dropped += count
    }
    await addToUsage(trx, changes)
    await addToCounter(trx, 'lading_audit_dropped_total', dropped)
    if (rows.length > 0) await onWritten(trx, rows)
  }

  return {
    insert: (rows, drops) => metadata.transaction((trx) => insertIn(trx, rows, drops)),
    insertIn,

    async trim(written) {
      await forget(written)
      if (mostBytes > 0) await makeRoom()
    },
  }
}

/** Deletes records; `evicted` is 1 where they make room for others. Answers how many there were. */
async function remove(trx: Transaction, ids: readonly number[], evicted: 0 | 1): Promise<number> {
  const gone = await trx
    .deleteFrom('audit_event')
    .where('id', 'in', ids)
    .returning(['actor_account', 'actor', 'lasting', 'bytes'])
    .execute()
  const changes = new Map<string, Change>()
  for (const { actor_account: account, actor, lasting, bytes } of gone) {
    const change = changeOf(changes, { account, actor, lasting })
    change.records--
    change.bytes -= bytes
    change.evicted += evicted
  }
  await addToUsage(trx, changes)
  return gone.length
}

function changeOf(changes: Map<string, Change>, share: Share): Change {
  const key = `${share.account} ${share.actor} ${share.lasting}`
  const change = changes.get(key) ?? { ...share, records: 0, bytes: 0, dropped: 0, evicted: 0 }
  changes.set(key, change)
  return change
}

/** In one order, so that of two transactions that add to the same rows neither waits for the other in a circle. */
async function addToUsage(trx: Transaction, changes: ReadonlyMap<string, Change>): Promise<void> {
  if (changes.size === 0) return
  const rows = [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change)
  for (let at = 0; at < rows.length; at += usageAtOnce) await addSome(trx, rows.slice(at, at + usageAtOnce))
}

/** PostgreSQL has at most 65,535 parameters in a statement. */
const usageAtOnce = 2_000

async function addSome(trx: Transaction, rows: readonly Change[]): Promise<void> {
  await trx
    .insertInto('audit_usage')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['account', 'actor', 'lasting']).doUpdateSet({
        records: sql<number>`audit_usage.records + excluded.records`,
        bytes: sql<number>`audit_usage.bytes + excluded.bytes`,
        dropped: sql<number>`audit_usage.dropped + excluded.dropped`,
        evicted: sql<number>`audit_usage.evicted + excluded.evicted`,
      }),
    )
    .execute()
}

async function selectOldest(db: Reader, { account, actor, lasting }: Share, limit: number): Promise<number[]> {
  const rows = await db
    .selectFrom('audit_event')
    .select('id')
    .where('actor_account', '=', account)
    .where('actor', '=', actor)
    .where('lasting', '=', lasting)
    .orderBy('at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

function sumOf(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}
