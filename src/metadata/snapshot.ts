import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { requireKnown, selectAppliedMigrations } from './migrate.ts'
import { numbersForBigints } from './postgres.ts'
import { busyTimeoutMs } from './sqlite-dialect.ts'
import { tablesOf } from './tables.ts'

/** A row as both dialects give and take it: integers up to 2^53, texts, bytes. */
export type AnyRow = Readonly<Record<string, string | number | Uint8Array | null>>

/** Everything that was committed at one time, whatever is written meanwhile. Nothing of it is held in memory. */
export interface Snapshot {
  readonly dialect: 'sqlite' | 'postgres'
  /** Those that the schema has, in their order. */
  readonly migrations: readonly string[]
  /** Each table after those that its rows refer to. */
  readonly tables: readonly string[]
  /** All rows of a table. */
  rows(table: string): AsyncIterable<AnyRow>
}

/**
 * Gives `work` a snapshot of the database that `url` names, without migrating or locking anything: on SQLite a reading
 * transaction, during which the log grows by what is written; on PostgreSQL one of REPEATABLE READ.
 *
 * @throws Error where the schema is a newer version's
 */
export function withSnapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return url.startsWith('sqlite:') ? ofSqlite(url.slice('sqlite:'.length), work) : ofPostgres(url, work)
}

/** How many rows PostgreSQL gives at a time, and how many of them that have bytes, such as a manifest of up to 4 MiB. */
const rowsAtOnce = 500
const heavyRowsAtOnce = 10

async function ofSqlite<T>(path: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  try {
    database.exec('begin')
    // The first read decides what the transaction sees.
    const migrations = known(database.prepare(selectAppliedMigrations).all())
    async function* rows(table: string) {
      for (const row of database.prepare(`select * from "${table}"`).iterate()) yield row as AnyRow
    }
    return await work({ dialect: 'sqlite', migrations, tables: (await tablesOf(migrations)).tables, rows })
  } finally {
    database.close()
  }
}

async function ofPostgres<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'lading backup',
    types: { getTypeParser: numbersForBigints },
  })
  // A connection that is lost is met by the query that follows.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('begin transaction isolation level repeatable read, read only')
    const migrations = known((await client.query(selectAppliedMigrations)).rows)
    const { tables, heavy } = await tablesOf(migrations)
    async function* rows(table: string) {
      const fetch = `fetch ${heavy.has(table) ? heavyRowsAtOnce : rowsAtOnce} from backup`
      await client.query(`declare backup no scroll cursor for select * from "${table}"`)
      for (;;) {
        const { rows: batch } = await client.query<AnyRow>(fetch)
        if (batch.length === 0) break
        yield* batch
      }
      await client.query('close backup')
    }
    return await work({ dialect: 'postgres', migrations, tables, rows })
  } finally {
    await client.end()
  }
}

function known(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names = rows.map(({ name }) => String(name))
  requireKnown(names)
  return names
}
