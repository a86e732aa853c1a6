import { randomUUID } from 'node:crypto'
import { slicesWithin } from '#lib/slices.ts'
import type { Transaction } from '#metadata/metadata.ts'
import type { NewEvent } from './event.ts'

/** What a row costs beside its two documents. */
const overheadBytes = 512
/** Bounds a statement: PostgreSQL takes 65,535 parameters. */
const rowsAtOnce = 1_000

/**
 * Writes events to the outbox, in the transaction that causes them. Events of a repository have the order of their commits where that
 * transaction holds the repository's exclusive lock.
 */
export async function recordEvents(trx: Transaction, events: readonly NewEvent[]): Promise<void> {
  for (const some of slicesWithin(events, rowsAtOnce, () => 1)) {
    await trx.insertInto('event').values(some.map(rowOf)).execute()
  }
}

function rowOf({ account, region, source, detailType, resources, detail, at, orderKey }: NewEvent) {
  const documents = { resources: JSON.stringify(resources), detail: JSON.stringify(detail) }
  return {
    ...{ event_id: randomUUID(), account, region, source, detail_type: detailType, order_key: orderKey, at },
    bytes: documents.resources.length + documents.detail.length + overheadBytes,
    ...documents,
  }
}
