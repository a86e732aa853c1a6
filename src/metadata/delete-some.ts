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
const keysAtOnce = 1_000

/** Deletes some of rows that may be hundreds of thousands. False once there is none left. */
export async function deleteSome<Table extends keyof Schema>(
  trx: Transaction,
  { table, column, owner, key }: OwnedRows<Table>,
): Promise<boolean> {
  const [rows, from, by] = [sql.table(table), sql.ref(column), sql.ref(key)]
  const { numAffectedRows = 0n } = await sql`
    delete from ${rows} where ${from} = ${owner}
      and ${by} in (select ${by} from ${rows} where ${from} = ${owner} order by ${by} limit ${keysAtOnce})`.execute(trx)
  return numAffectedRows > 0n
}
