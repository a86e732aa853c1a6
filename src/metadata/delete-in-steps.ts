import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Transaction } from './metadata.ts'
import type { Schema } from './schema.ts'

/** Whose rows go: those of `table` whose `column` is `owner`. `key` is the column that tells most of those rows apart, by an index. */
export interface OwnedRows<Table extends keyof Schema> {
  readonly table: Table
  readonly column: keyof Schema[Table] & string
  readonly owner: number
  readonly key: keyof Schema[Table] & string
}

/** Some tens of milliseconds on SQLite, where a statement holds the process. */
const keysAStep = 1_000

/**
 * Deletes rows that may be hundreds of thousands, within one transaction, but so that other work gets its turn between two steps:
 * who reads goes on meanwhile, who writes waits.
 */
export async function deleteInSteps<Table extends keyof Schema>(
  trx: Transaction,
  { table, column, owner, key }: OwnedRows<Table>,
): Promise<void> {
  const [rows, from, by] = [sql.table(table), sql.ref(column), sql.ref(key)]
  const step = sql`
    delete from ${rows} where ${from} = ${owner}
      and ${by} in (select ${by} from ${rows} where ${from} = ${owner} order by ${by} limit ${keysAStep})`
  for (;;) {
    const { numAffectedRows } = await step.execute(trx)
    if (numAffectedRows === undefined || numAffectedRows < keysAStep) return
    await setImmediate()
  }
}
