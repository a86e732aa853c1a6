import { sql } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'

/** What is counted over all processes and for good, in the transaction of what is counted. Names are those of metrics. */
export async function addToCounter(trx: Transaction, name: `lading_${string}_total`, count: number): Promise<void> {
  if (count === 0) return
  await trx
    .insertInto('counter')
    .values({ name, value: count })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ value: sql<number>`counter.value + excluded.value` }),
    )
    .execute()
}

export async function readCounters(reader: Reader): Promise<ReadonlyMap<string, number>> {
  const rows = await reader.selectFrom('counter').selectAll().execute()
  return new Map(rows.map(({ name, value }) => [name, value]))
}
