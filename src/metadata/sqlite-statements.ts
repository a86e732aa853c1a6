import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { BoundedMap } from '#lib/bounded-map.ts'

/** Prepares each distinct text once. Texts come from code, not from requests, so they are few: `NodeSqliteCompiler` sees to it. */
export class StatementCache {
  readonly #database: DatabaseSync
  readonly #statements = new BoundedMap<string, Statement>(1_000)

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = new Statement(this.#database.prepare(sql))
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Makes its rows from arrays of values: the objects that node:sqlite makes itself are V8's slow kind, in making and in use. */
export class Statement {
  readonly #statement: StatementSync
  /** Of the columns that it gives, none where it gives no rows. */
  #names: readonly string[]

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.#names = namesOf(statement)
    statement.setReturnArrays(true)
  }

  get givesRows(): boolean {
    return this.#names.length > 0
  }

  all(values: readonly SQLInputValue[]): Record<string, SQLOutputValue>[] {
    // As it was told to, the statement gives arrays, which its type does not know.
    const rows = this.#statement.all(...values) as unknown as SQLOutputValue[][]
    // A migration has added a column to those of `select *`.
    if (rows[0] !== undefined && rows[0].length !== this.#names.length) this.#names = namesOf(this.#statement)
    const names = this.#names
    return rows.map((row) => rowOf(names, row))
  }

  run(values: readonly SQLInputValue[]) {
    return this.#statement.run(...values)
  }
}

function namesOf(statement: StatementSync): string[] {
  return statement.columns().map(({ name }) => name)
}

function rowOf(names: readonly string[], values: readonly SQLOutputValue[]): Record<string, SQLOutputValue> {
  const row: Record<string, SQLOutputValue> = {}
  for (let column = 0; column < names.length; column++) row[names[column] ?? ''] = values[column] ?? null
  return row
}
