import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'

/** How many published events each account keeps, and how many bytes they have. */
export interface EventUsage {
  readonly account: string
  readonly events: number
  readonly bytes: number
}

type Row = { readonly account: string; readonly bytes: number }

/** Counts rows that came (`sign` 1) or went (-1). Answers what their accounts have now. */
export async function countEvents(
  trx: Transaction,
  rows: readonly Row[],
  sign: 1 | -1,
): Promise<readonly EventUsage[]> {
  if (rows.length === 0) return []
  const accounts = Map.groupBy(rows, ({ account }) => account)
  const values = [...accounts].map(([account, those]) => ({
    account,
    events: sign * those.length,
    bytes: sign * those.reduce((sum, { bytes }) => sum + bytes, 0),
  }))
  // In one order, so that two transactions do not wait for each other in a circle.
  values.sort((a, b) => (a.account < b.account ? -1 : 1))
  return trx
    .insertInto('event_usage')
    .values(values)
    .onConflict((conflict) =>
      conflict.column('account').doUpdateSet({
        events: sql<number>`event_usage.events + excluded.events`,
        bytes: sql<number>`event_usage.bytes + excluded.bytes`,
      }),
    )
    .returning(['account', 'events', 'bytes'])
    .execute()
}
