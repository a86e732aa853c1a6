import { chmodSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { type Compilable, Kysely } from 'kysely'
import { sqliteColumns } from './columns.ts'
import type { Metadata, Parameter, Parameters, Reader, Transaction } from './metadata.ts'
import type { migrate } from './migrate.ts'
import { prepareQuery } from './prepared.ts'
import { RememberedRows } from './remembered-rows.ts'
import type { Schema } from './schema.ts'
import { busyTimeoutMs, nodeSqliteDialect, StatementCache } from './sqlite-dialect.ts'
import { teachPlanner } from './sqlite-statistics.ts'

/**
 * The embedded store. WAL with `synchronous=FULL`: a commit has been fsynced when it returns. One connection writes, one
 * transaction at a time; another reads the last commit, so that a pull never waits for a push.
 */
export async function openSqlite(path: string, prepareSchema: typeof migrate): Promise<Metadata> {
  const writing = connectSqlite(path, false)
  const writer = new Kysely<Schema>({ dialect: nodeSqliteDialect(writing, 'exclusive') })
  try {
    await prepareSchema(writer, sqliteColumns)
    teachPlanner(writing)
    keepPrivate(path)
    // From here on every write is in a transaction, and the driver waits for its beginning.
    writing.exec('pragma busy_timeout = 0')
  } catch (error) {
    writing.close()
    throw error
  }
  return new SqliteMetadata(writer, writing, connectSqlite(path, true))
}

export function connectSqlite(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
  if (!readOnly) {
    database.exec('pragma journal_mode = wal')
    database.exec('pragma synchronous = full')
  }
  return database
}

/**
 * The database holds every secret, so its files are for their owner alone, however they came to be; a log that SQLite makes
 * later has the database's mode. Not through a file descriptor: closing one would drop the locks that other connections of
 * this process hold (sqlite.org, "How To Corrupt An SQLite Database File", 2.2).
 */
export function keepPrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) chmodSync(file, 0o600)
}

class SqliteMetadata implements Metadata {
  readonly reader: Reader
  readonly #writer: Kysely<Schema>
  readonly #writing: DatabaseSync
  readonly #reading: DatabaseSync
  readonly #statements: StatementCache
  readonly #dataVersion: StatementSync
  #versionOfTurn: number | undefined
  readonly #forgetVersion = () => {
    this.#versionOfTurn = undefined
  }

  constructor(writer: Kysely<Schema>, writing: DatabaseSync, reading: DatabaseSync) {
    this.#writer = writer
    this.#writing = writing
    this.#reading = reading
    this.reader = new Kysely<Schema>({ dialect: nodeSqliteDialect(reading, 'shared') })
    this.#statements = new StatementCache(reading)
    this.#dataVersion = reading.prepare('pragma data_version')
    this.#dataVersion.setReturnArrays(true)
  }

  async transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.#writer.transaction().execute(work)
    } finally {
      this.#forgetVersion()
    }
  }

  /**
   * Flat on purpose: `bench` figure "manifest GET by tag". A call is one synchronous step: of two microseconds where nothing was
   * committed since the same call gave its rows, which SQLite is asked each time, and otherwise of some ten.
   */
  prepare<P extends Parameters, Row>(
    build: (db: Reader, parameter: Parameter<P>) => Compilable<Row>,
  ): (parameters: P) => Promise<readonly Row[]> {
    const { sql, bind } = prepareQuery(this.reader, build)
    const statement = this.#statements.get(sql)
    statement.setReturnArrays(true)
    const rowOf = rowMaker<Row>(statement.columns().map(({ name }) => name))
    const remembered = new RememberedRows<Row>()
    return async (parameters) => {
      const values = bind(parameters)
      // No name, tag or digest holds a NUL.
      const key = values.join('\0')
      const known = remembered.find(key, this.#versionOfTurn ?? this.#readVersion())
      if (known !== undefined) return known
      // As it was told to, the statement gives arrays, which its type does not know.
      const rows = (statement.all(...values) as unknown as SQLOutputValue[][]).map(rowOf)
      remembered.remember(key, rows)
      return rows
    }
  }

  /**
   * Asked of SQLite once in a turn of the event loop, for it costs some five microseconds. Whatever a turn serves had come when it
   * began, so that nobody misses a commit that it was told of; a commit of this process ends what is known at once.
   */
  version(): number {
    if (this.#versionOfTurn === undefined) {
      this.#versionOfTurn = this.#readVersion()
      setImmediate(this.#forgetVersion)
    }
    return this.#versionOfTurn
  }

  /**
   * A number that changes with each commit by another connection, of whichever process (SQLite, "PRAGMA data_version"); the one
   * that is asked does not write.
   */
  #readVersion(): number {
    const [version] = this.#dataVersion.get() as unknown as [number]
    return version
  }

  async check(): Promise<void> {
    this.#statements.get('select 1').get()
  }

  /** The writing connection last: the last to close moves the log into the database file, and only it may. */
  async close(): Promise<void> {
    this.#reading.close()
    this.#writing.close()
  }
}

/** Rows from arrays of values. The objects that node:sqlite makes itself are V8's slow kind, in making and in use. */
function rowMaker<Row>(names: readonly string[]): (values: SQLOutputValue[]) => Row {
  return (values) => {
    const row: Record<string, SQLOutputValue | undefined> = {}
    for (let column = 0; column < names.length; column++) row[names[column] ?? ''] = values[column]
    // What the query selects is what it was typed by.
    return row as Row
  }
}
