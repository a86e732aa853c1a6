import { dirname } from 'node:path'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { makeDurableFolder } from '#lib/durable-folder.ts'
import { type ColumnTypes, postgresColumns, sqliteColumns } from './columns.ts'
import type { Transaction } from './metadata.ts'
import { appliedMigrations, migrate } from './migrate.ts'
import { createPool } from './postgres.ts'
import type { Schema } from './schema.ts'
import type { AnyRow } from './snapshot.ts'
import { connectSqlite, keepPrivate } from './sqlite.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'
import { type TableList, tablesOf } from './tables.ts'

/** A database that may be filled with the rows of another, of either dialect. */
export interface LoadTarget extends AsyncDisposable {
  /**
   * Whether it could be: `used` if a table has a row, `newer` if it has no row but a schema that these migrations do not make.
   * Migrations are the first ones of all.
   */
  state(migrations: readonly string[]): Promise<'empty' | 'used' | 'newer'>
  /**
   * Makes the schema of these migrations and calls `fill` in one transaction: all of its rows are committed, or none. Answers false,
   * without calling it, where somebody has used the database meanwhile.
   */
  load(migrations: readonly string[], fill: (insert: Insert) => Promise<void>): Promise<boolean>
}

/** Inserts rows that have the same columns, a few MiB at most. Tables come in the order of `Snapshot.tables`. */
export type Insert = (table: string, rows: readonly AnyRow[]) => Promise<void>

export async function openLoadTarget(url: string): Promise<LoadTarget> {
  return url.startsWith('sqlite:') ? ofSqlite(url.slice('sqlite:'.length)) : ofPostgres(url)
}

async function ofSqlite(path: string): Promise<LoadTarget> {
  await makeDurableFolder(dirname(path))
  const database = connectSqlite(path, false)
  const db = new Kysely<Schema>({ dialect: nodeSqliteDialect(database, 'exclusive') })
  return target(db, {
    types: sqliteColumns,
    // A writing transaction is alone. All files of the database are there by now.
    hold: async () => keepPrivate(path),
    // Several rows in one statement are texts and numbers only.
    rowsAtOnce: 1,
    // SQLite counts on from the highest key by itself.
    count: async () => {},
    close: async () => database.close(),
  })
}

async function ofPostgres(url: string): Promise<LoadTarget> {
  const pool = createPool({ connectionString: url, max: 1, application_name: 'lading restore' })
  // A connection that is lost is met by the query that follows.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return target(db, {
    types: postgresColumns,
    hold: async (trx, tables) => {
      const names = sql.join(tables.map((table) => sql.table(table)))
      await sql`lock table ${names} in share row exclusive mode`.execute(trx)
    },
    rowsAtOnce: 500,
    count: async (trx, table) => {
      const highest = sql`(select coalesce(max(id), 0) + 1 from ${sql.table(table)})`
      await sql`select setval(pg_get_serial_sequence(${table}, 'id'), ${highest}, false)`.execute(trx)
    },
    close: () => db.destroy(),
  })
}

/** Where the dialects differ. */
interface DialectParts {
  readonly types: ColumnTypes
  /** Keeps others from writing to the tables until the transaction ends. */
  hold(trx: Transaction, tables: readonly string[]): Promise<void>
  readonly rowsAtOnce: number
  /** Has the next key of the table be one that no row has. */
  count(trx: Transaction, table: string): Promise<void>
  close(): Promise<void>
}

function target(db: Kysely<Schema>, dialect: DialectParts): LoadTarget {
  return {
    async state(migrations) {
      // One that is out of reach is not empty.
      await sql`select 1`.execute(db)
      const applied = await appliedMigrations(db)
      const { tables } = await tablesOf(applied)
      if (await isUsed(db, tables)) return 'used'
      return applied.every((name, index) => migrations[index] === name) ? 'empty' : 'newer'
    },

    async load(migrations, fill) {
      await migrate(db, dialect.types, migrations.at(-1))
      const { tables, counted }: TableList = await tablesOf(migrations)
      return db.transaction().execute(async (trx) => {
        await dialect.hold(trx, tables)
        if (await isUsed(trx, tables)) return false
        await fill(async (table, rows) => {
          if (!tables.includes(table)) throw new Error(`The schema has no table ${JSON.stringify(table)}`)
          for (let start = 0; start < rows.length; start += dialect.rowsAtOnce) {
            const some = rows.slice(start, start + dialect.rowsAtOnce)
            // A table of the schema, with rows that were read from one of the same name.
            await trx
              .insertInto(table as keyof Schema)
              .values(some as never)
              .execute()
          }
        })
        for (const table of counted) await dialect.count(trx, table)
        return true
      })
    },

    [Symbol.asyncDispose]: () => dialect.close(),
  }
}

async function isUsed(db: Kysely<Schema>, tables: readonly string[]): Promise<boolean> {
  for (const table of tables) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)
    if (rows.length > 0) return true
  }
  return false
}
