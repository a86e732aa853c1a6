import { chmodSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Compilable, Kysely } from 'kysely'
import { sqliteColumns } from './columns.ts'
import type { Metadata, Parameter, Parameters, Reader, Transaction } from './metadata.ts'
import type { migrate } from './migrate.ts'
import { prepareQuery } from './prepared.ts'
import { realRowQueries, requireFound } from './real-rows.ts'
import { RememberedRows } from './remembered-rows.ts'
import type { Schema } from './schema.ts'
import { busyTimeoutMs, nodeSqliteDialect } from './sqlite-dialect.ts'
import { StatementCache } from './sqlite-statements.ts'
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
  return new SqliteMetadata(path, writer, writing)
}

/** A long transaction, such as a migration, may write a log of gigabytes. The next ones cut it to this size. */
const mostLogBytes = 64 * 1024 * 1024

export function connectSqlite(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
  if (!readOnly) {
    database.exec('pragma journal_mode = wal')
    database.exec('pragma synchronous = full')
    database.exec(`pragma journal_size_limit = ${mostLogBytes}`)
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

/** Any client may ask `/readyz`, as often as it likes. */
const checkedForMs = 1_000
const rowQueries = realRowQueries('sqlite')

class SqliteMetadata implements Metadata {
  readonly reader: Reader
  readonly #path: string
  readonly #writer: Kysely<Schema>
  readonly #writing: DatabaseSync
  readonly #reading: DatabaseSync
  readonly #statements: StatementCache
  readonly #dataVersion: StatementSync
  #versionOfTurn: number | undefined
  #checkedAt = Number.NEGATIVE_INFINITY
  readonly #forgetVersion = () => {
    this.#versionOfTurn = undefined
  }

  constructor(path: string, writer: Kysely<Schema>, writing: DatabaseSync) {
    this.#path = path
    this.#writer = writer
    this.#writing = writing
    const reading = connectSqlite(path, true)
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

  /** On a connection of its own, for one sees one time. */
  async snapshot<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const reading = connectSqlite(this.#path, true)
    try {
      // Whoever wants a snapshot reads much, and rows by their key from all over the file.
      reading.exec('pragma cache_size = -65536')
      // The first query decides what it sees.
      reading.exec('begin')
      return await work(new Kysely<Schema>({ dialect: nodeSqliteDialect(reading, 'shared') }))
    } finally {
      reading.close()
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
    const remembered = new RememberedRows<Row>()
    return async (parameters) => {
      const values = bind(parameters)
      // No name, tag or digest holds a NUL.
      const key = values.join('\0')
      const known = remembered.find(key, this.#versionOfTurn ?? this.#readVersion())
      if (known !== undefined) return known
      // What the query selects is what it was typed by.
      const rows = statement.all(values) as Row[]
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

  /** By a new connection. Its cache has no page that was read before the file was damaged. */
  async check(): Promise<void> {
    this.#statements.get('select 1').all([])
    if (performance.now() - this.#checkedAt < checkedForMs) return
    const fresh = connectSqlite(this.#path, true)
    try {
      for (const query of rowQueries) requireFound(fresh.prepare(query).all())
    } finally {
      fresh.close()
    }
    this.#checkedAt = performance.now()
  }

  /** The writing connection last: the last to close moves the log into the database file, and only it may. */
  async close(): Promise<void> {
    this.#reading.close()
    this.#writing.close()
  }
}
