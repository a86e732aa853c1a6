import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { addToCounter } from '#jobs/counters.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { PublishedEvent } from './event.ts'
import { defaultEventLimits, type EventLimits, makeRoom } from './retention.ts'
import { eventColumns, parseEvent } from './rows.ts'
import { countEvents } from './usage.ts'

/**
 * Gives each committed event its number in the order of all events, and hands it to `fanOut` in the same transaction. One process
 * publishes at a time: the one that holds the lock of the publisher's row. A process that ends meanwhile leaves nothing behind.
 *
 * PostgreSQL commits in another order than it counts up keys. So the key alone says only the order within one repository, which the
 * repository's exclusive lock keeps.
 */
export interface EventPublisher {
  start(): Promise<void>
  /** Resolves once this process publishes nothing more. */
  stop(): Promise<void>
}

/** Writes rows for those that want these events, in the transaction that publishes them. */
export type FanOut = (trx: Transaction, published: readonly PublishedEvent[]) => Promise<void>

export interface EventPublisherParts {
  readonly metadata: Metadata
  readonly fanOut: FanOut
  readonly onError: (error: unknown) => void
  readonly pollMs?: number
  readonly limits?: EventLimits
}

/** In one transaction: SQLite does its work in this thread. */
const mostAtOnce = 200
/** A caller may make webhooks with costly patterns, each of which wants each event. Then a transaction publishes few events. */
const fewestAtOnce = 10
const longMs = 100
/** An event has some kilobytes, and seldom a hundred of them. */
const mostBytes = 4 * 1024 * 1024
const publisherId = 1

export function createEventPublisher(parts: EventPublisherParts): EventPublisher {
  const { metadata, fanOut, onError, pollMs = 250, limits = defaultEventLimits } = parts
  const findWaiting = metadata.prepare<Record<string, never>, { id: number }>((db) =>
    db.selectFrom('event').select('id').where('sequence', 'is', null).limit(1),
  )
  let timer: NodeJS.Timeout | undefined
  let publishing: Promise<void> | undefined
  let stopped = false
  let atOnce = mostAtOnce

  function look(): void {
    publishing ??= publishAll()
      .catch(onError)
      .finally(() => {
        publishing = undefined
      })
  }

  async function publishAll(): Promise<void> {
    while (!stopped && (await findWaiting({})).length > 0) {
      const asked = atOnce
      const startedAt = performance.now()
      const published = await metadata.transaction((trx) => publish(trx, asked))
      atOnce = nextAtOnce(asked, performance.now() - startedAt)
      // Another process publishes.
      if (published === 0) return
      await setImmediate()
    }
  }

  async function publish(trx: Transaction, limit: number): Promise<number> {
    const last = await lockPublisher(trx)
    if (last === undefined) return 0
    const rows = await giveNumbers(trx, last, limit)
    if (rows.length === 0) return 0
    await trx
      .updateTable('event_publisher')
      .set({ last_sequence: last + rows.length })
      .where('id', '=', publisherId)
      .execute()
    await addToCounter(trx, 'lading_events_published_total', rows.length)
    await makeRoom(trx, limits, await countEvents(trx, rows, 1))
    const published = rows.map(parseEvent).sort((a, b) => a.sequence - b.sequence)
    await fanOut(trx, published)
    return published.length
  }

  return {
    async start() {
      await makePublisher(metadata)
      timer = setInterval(look, pollMs).unref()
      look()
    },

    async stop() {
      stopped = true
      clearInterval(timer)
      await publishing
    },
  }
}

function nextAtOnce(atOnce: number, tookMs: number): number {
  if (tookMs > longMs) return Math.max(fewestAtOnce, Math.floor(atOnce / 2))
  return tookMs < longMs / 4 ? Math.min(mostAtOnce, atOnce * 2) : atOnce
}

/** A database that was restored may have events and no such row. */
async function makePublisher(metadata: Metadata): Promise<void> {
  const found = await metadata.reader.selectFrom('event_publisher').select('id').executeTakeFirst()
  if (found !== undefined) return
  await metadata.transaction(async (trx) => {
    const last = await trx
      .selectFrom('event')
      .select(({ fn }) => fn.max('sequence').as('sequence'))
      .executeTakeFirst()
    await trx
      .insertInto('event_publisher')
      .values({ id: publisherId, last_sequence: Number(last?.sequence ?? 0) })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  })
}

/** The last number that was given; `undefined` while another process publishes. */
async function lockPublisher(trx: Transaction): Promise<number | undefined> {
  const row = await trx
    .selectFrom('event_publisher')
    .select('last_sequence')
    .where('id', '=', publisherId)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  return row?.last_sequence
}

function giveNumbers(trx: Transaction, last: number, limit: number) {
  const first = trx
    .selectFrom('event')
    .select(['id as waiting_id', 'bytes as size'])
    .where('sequence', 'is', null)
    .orderBy('id')
    .limit(limit)
    .as('first')
  const waiting = trx
    .selectFrom(first)
    .select(['waiting_id', sql<number>`row_number() over (order by waiting_id)`.as('place')])
    .select(sql<number>`sum(size) over (order by waiting_id) - size`.as('bytes_before'))
    .as('waiting')
  return trx
    .updateTable('event')
    .from(waiting)
    .set({ sequence: sql<number>`waiting.place + ${last}` })
    .whereRef('event.id', '=', 'waiting.waiting_id')
    .where('waiting.bytes_before', '<', mostBytes)
    .returning([...eventColumns, 'bytes'])
    .execute()
}
