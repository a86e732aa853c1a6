import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { sqliteColumns } from './columns.ts'
import { migrate } from './migrate.ts'
import type { Schema } from './schema.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'

/** What whoever reads or fills a whole database knows of a schema. */
export interface TableList {
  /** Each table after those that its rows refer to. */
  readonly tables: readonly string[]
  /** Of them, those whose key the database counts up, `id` in each. */
  readonly counted: ReadonlySet<string>
  /** Of them, those with a column of bytes. */
  readonly heavy: ReadonlySet<string>
}

/**
 * The tables that the schema has with these migrations, the first of all. Asked of an empty database in memory, so that it is the
 * same for both dialects, whatever else lies in the database at hand.
 */
export async function tablesOf(migrations: readonly string[]): Promise<TableList> {
  const last = migrations.at(-1)
  if (last === undefined) return { tables: [], counted: new Set(), heavy: new Set() }
  const database = new DatabaseSync(':memory:')
  try {
    const db = new Kysely<Schema>({ dialect: nodeSqliteDialect(database, 'exclusive') })
    await migrate(db, sqliteColumns, last)
    const found = database
      .prepare(
        `select name, sql like '%autoincrement%' as counted,
           exists (select 1 from pragma_table_info(sqlite_schema.name) where lower(type) = 'blob') as heavy
         from sqlite_schema
         where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name not like 'kysely\\_%' escape '\\' order by name`,
      )
      .all()
    const edges = database.prepare('select "table" as target from pragma_foreign_key_list(?)')
    const left = new Map(
      found.map(({ name }) => [String(name), edges.all(String(name)).map(({ target }) => String(target))]),
    )
    const those = (mark: 'counted' | 'heavy') =>
      new Set(found.filter((table) => table[mark] === 1).map(({ name }) => String(name)))
    return { tables: inOrder(left), counted: those('counted'), heavy: those('heavy') }
  } finally {
    database.close()
  }
}

/** Takes again and again a table whose targets are all taken; one may refer to itself. */
function inOrder(targets: ReadonlyMap<string, readonly string[]>): string[] {
  const taken = new Set<string>()
  while (taken.size < targets.size) {
    const next = [...targets].find(
      ([name, others]) => !taken.has(name) && others.every((other) => other === name || taken.has(other)),
    )
    if (next === undefined) throw new Error('tables refer to one another in a circle')
    taken.add(next[0])
  }
  return [...taken]
}
