import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import {
  BinaryOperationNode,
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PrimitiveValueListNode,
  type QueryResult,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type ValuesNode,
} from 'kysely'
import { StatementCache } from './sqlite-statements.ts'

/**
 * Kysely over one connection of `node:sqlite`. Statements are prepared once per text. Transactions begin IMMEDIATE:
 * whoever will write waits at the beginning, where waiting is safe, and not at the first write, where SQLite refuses. `waitMs`
 * bounds that from the wish to begin on, so that waits behind one another do not add up. The database stays its opener's to close.
 */
export function nodeSqliteDialect(
  database: DatabaseSync,
  access: 'exclusive' | 'shared',
  waitMs: number = busyTimeoutMs,
): Dialect {
  return {
    createAdapter: () => new NodeSqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(database, access, waitMs),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new NodeSqliteCompiler(),
  }
}

/** How long one process waits for another's transaction. Ours take milliseconds. */
export const busyTimeoutMs = 10_000

class NodeSqliteAdapter extends SqliteAdapter {
  /** The driver lets one in after the other by itself. Kysely would do so before the driver hears of who waits, and since when. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  /** SQLite rolls tables back like rows, which Kysely's own adapter does not use: migrations would run without a transaction. */
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/**
 * A list is one parameter, a JSON array, however long it is. With a parameter for each value, requests would decide how many texts
 * there are, and each prepared one keeps memory that the collector does not see.
 */
class NodeSqliteCompiler extends SqliteQueryCompiler {
  /** The right side of `in`; the values of a single new row are not one. */
  protected override visitPrimitiveValueList(node: PrimitiveValueListNode): void {
    if (this.parentNode === undefined || !BinaryOperationNode.is(this.parentNode)) {
      super.visitPrimitiveValueList(node)
      return
    }
    this.append('(select value from json_each(')
    this.appendValue(JSON.stringify(node.values))
    this.append('))')
  }

  /** Several new rows, of texts and numbers: JSON has no bytes. */
  protected override visitValues(node: ValuesNode): void {
    const [first] = node.values
    if (node.values.length === 1 || first === undefined || !PrimitiveValueListNode.is(first)) {
      super.visitValues(node)
      return
    }
    const rows = node.values.map((row) => (row as PrimitiveValueListNode).values)
    this.append(`select ${first.values.map((_, column) => `value ->> ${column}`).join(', ')} from json_each(`)
    this.appendValue(JSON.stringify(rows))
    // Without a condition SQLite would take what follows, `on conflict`, for that of a join.
    this.append(') where true')
  }

  /** SQLite has no row locks and needs none: its transactions that write exclude one another. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct' || node.modifier === undefined) super.visitSelectModifier(node)
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #statements: StatementCache

  constructor(statements: StatementCache) {
    this.#statements = statements
  }

  executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const statement = this.#statements.get(sql)
    // What Kysely hands over came through typed columns, which hold nothing but SQLite's own types.
    const values = parameters as SQLInputValue[]
    // What the query selects is what it was typed by.
    if (statement.givesRows) return Promise.resolve({ rows: statement.all(values) as Row[] })
    const { changes, lastInsertRowid } = statement.run(values)
    return Promise.resolve({ rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) })
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for a generator; no query here is streamed.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Streaming a query is not supported: page through it')
  }
}

class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync
  readonly #connection: NodeSqliteConnection
  readonly #access: 'exclusive' | 'shared'
  readonly #waitMs: number
  /** Resolves when the connection is free; each who waits replaces it with its own turn. */
  #turn: Promise<void> = Promise.resolve()
  #release: () => void = () => {}
  /** When whoever has the connection has waited long enough to begin. */
  #deadline = 0

  constructor(database: DatabaseSync, access: 'exclusive' | 'shared', waitMs: number) {
    this.#database = database
    this.#access = access
    this.#waitMs = waitMs
    this.#connection = new NodeSqliteConnection(new StatementCache(database))
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#access === 'shared') return this.#connection
    const deadline = performance.now() + this.#waitMs
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    this.#release = resolve
    this.#deadline = deadline
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#release()
  }

  /** SQLite's own waiting for another process would block this one whole, requests that only read included. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 50)) {
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'))
        return
      } catch (error) {
        if (!isBusy(error) || performance.now() > this.#deadline) throw error
      }
      await delay(pauseMs * (0.5 + Math.random() / 2))
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  /** After some errors, a full disk among them, SQLite has rolled back by itself and a second time is an error. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  /** Whoever opened the database closes it: Kysely calls this only if it has run a query. */
  async destroy(): Promise<void> {}
}

/** Result code 5, in whichever of its extended forms (SQLite, "Result and Error Codes"). */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
