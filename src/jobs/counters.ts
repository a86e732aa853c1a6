import { sql } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'

/** What is counted over all processes and for good, in the transaction of what is counted. Names are those of metrics. */
export async function addToCounter(trx: Transaction, name: `lading_${string}_total`, count: number): Promise<void> {
  if (count !== 0) await addToCounters(trx, new Map([[name, count]]))
}

/** Several at once, in one order, so that of two who add to the same none waits for the other in a circle. */
export async function addToCounters(trx: Transaction, counts: ReadonlyMap<string, number>): Promise<void> {
  if (counts.size === 0) return
  const rows = [...counts].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1))
  await trx
    .insertInto('counter')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ value: sql<number>`counter.value + excluded.value` }),
    )
    .execute()
}

export async function readCounters(reader: Reader): Promise<ReadonlyMap<string, number>> {
  const rows = await reader.selectFrom('counter').selectAll().execute()
  return new Map(rows.map(({ name, value }) => [name, value]))
}
