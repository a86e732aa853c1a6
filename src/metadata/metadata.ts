import type { Compilable, Kysely, Transaction as KyselyTransaction } from 'kysely'
import type { Schema } from './schema.ts'

/** What a query that only reads takes: a database and a transaction both fit, and writing does not compile. */
export type Reader = Pick<Kysely<Schema>, 'selectFrom' | 'selectNoFrom' | 'fn' | 'executeQuery'>

/** What a function that writes takes. Nobody opens a transaction inside another, or does other I/O inside one. */
export type Transaction = KyselyTransaction<Schema>

/** The values that a prepared query takes at each call, by name. */
export type Parameters = Record<string, string | number>

/** Stands for a parameter's value while the query is built; used as that value would be. */
export type Parameter<P extends Parameters> = <Name extends keyof P & string>(name: Name) => P[Name]

/** The metadata store: one set of queries over SQLite or PostgreSQL. */
export interface Metadata {
  /** Reads what has been committed, without waiting for a transaction that writes. */
  readonly reader: Reader

  /**
   * Runs `work` in one transaction: all of it is committed and durable when the promise resolves, or none of it.
   * SQLite runs one at a time. PostgreSQL runs them at READ COMMITTED, where `for update` and `for share` say what must
   * hold still (the SQLite dialect leaves these out); a deadlock or serialization failure runs `work` again, so that
   * `work` must not change anything but the database.
   */
  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T>

  /**
   * Gives `work` what was committed at one time, however many queries it makes and whatever is written meanwhile. It holds up nobody,
   * but is not for waiting in: what is written while it lasts cannot be tidied up.
   */
  snapshot<T>(work: (reader: Reader) => Promise<T>): Promise<T>

  /**
   * Compiles a hot query once. Building it costs some fifty times as much as SQLite takes to run it. A call sees all that was
   * committed before it. Calls may share their rows, which nobody changes.
   *
   *     const find = metadata.prepare<{ id: number }, { name: string }>((db, p) =>
   *       db.selectFrom('repository').select('name').where('id', '=', p('id')))
   *     const [row] = await find({ id: 1 })
   */
  prepare<P extends Parameters, Row>(
    build: (db: Reader, parameter: Parameter<P>) => Compilable<Row>,
  ): (parameters: P) => Promise<readonly Row[]>

  /**
   * A number that changes with each commit of anybody, as it stood when the turn of the event loop began or later, where the store tells it for nothing: what was worked out from its rows
   * holds while it is the same. `undefined` where asking would cost a query.
   */
  version(): number | undefined

  /** Reads rows. Rejects when the database cannot be reached, or is damaged where it reads. */
  check(): Promise<void>

  close(): Promise<void>
}
