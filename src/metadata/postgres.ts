import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Compilable, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { postgresColumns } from './columns.ts'
import type { Metadata, Parameter, Parameters, Reader, Transaction } from './metadata.ts'
import type { migrate } from './migrate.ts'
import { prepareQuery } from './prepared.ts'
import { realRowQueries, requireFound } from './real-rows.ts'
import type { Schema } from './schema.ts'

/** Serialization failure and deadlock: the transaction has left nothing behind and may run again. */
const repeatable = new Set(['40001', '40P01'])
const attempts = 5

/** The store for several nodes: PostgreSQL, or what speaks its protocol. `onLostConnection` hears of each that is lost, in use or idle. */
export async function openPostgres(
  url: string,
  onLostConnection: (error: Error) => void,
  prepareSchema: typeof migrate,
): Promise<Metadata> {
  const types = { getTypeParser: numbersForBigints }
  const pool = createPool({ connectionString: url, max: 20, application_name: 'lading', types })
  // The pool listens only to connections that are idle, and an error that nobody listens to ends the process.
  pool.on('connect', (client) =>
    client.on('error', (error) => {
      if (!pool.ending) onLostConnection(error) // One that we are closing is no loss.
    }),
  )
  pool.on('error', () => {}) // An idle one's own listener has heard it too.
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    await prepareSchema(db, postgresColumns)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return new PostgresMetadata(db, pool)
}

/** Makes connections that commit durably. */
export function createPool(options: pg.PoolConfig): pg.Pool {
  return new pg.Pool({ connectionTimeoutMillis: 10_000, ...options, onConnect: commitDurably })
}

/**
 * The server's default, the database's or the role's may be `off`: then a commit returns before it is on the disk. Any other value waits
 * for the server's own disk, and some wait for a standby too. They stay (PostgreSQL, "synchronous_commit").
 */
async function commitDurably(client: pg.ClientBase): Promise<void> {
  await client.query(
    "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
  )
}

/** Our 64-bit columns hold milliseconds and sizes, which a JavaScript number holds exactly. */
export const numbersForBigints: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')

const rowQueries = realRowQueries('postgres')

class PostgresMetadata implements Metadata {
  readonly reader: Reader
  readonly #db: Kysely<Schema>
  readonly #pool: pg.Pool

  constructor(db: Kysely<Schema>, pool: pg.Pool) {
    this.reader = db
    this.#db = db
    this.#pool = pool
  }

  async transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#db.transaction().setIsolationLevel('read committed').execute(work)
      } catch (error) {
        if (attempt === attempts || !(error instanceof pg.DatabaseError) || !repeatable.has(error.code ?? ''))
          throw error
        await delay(Math.random() * 10 * 2 ** attempt)
      }
    }
  }

  snapshot<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    return this.#db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work)
  }

  /** Named, so that each connection parses and plans it once. */
  prepare<P extends Parameters, Row>(
    build: (db: Reader, parameter: Parameter<P>) => Compilable<Row>,
  ): (parameters: P) => Promise<readonly Row[]> {
    const { sql, bind } = prepareQuery(this.reader, build)
    const name = createHash('sha256').update(sql).digest('hex').slice(0, 32)
    return async (parameters) => {
      const { rows } = await this.#pool.query({ name, text: sql, values: bind(parameters) })
      return rows as Row[]
    }
  }

  version(): undefined {}

  async check(): Promise<void> {
    for (const query of rowQueries) requireFound((await this.#pool.query(query)).rows)
  }

  /** Ends the pool with it. */
  async close(): Promise<void> {
    await this.#db.destroy()
  }
}
