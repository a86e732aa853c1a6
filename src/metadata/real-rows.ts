import type { Schema } from './schema.ts'

/**
 * What the check of a database reads. `select 1` answers from a database with destroyed pages. These are the tables without
 * which no request is served, each with the columns of its unique key.
 */
const keys = {
  account: ['id'],
  access_key: ['id'],
  repository: ['account', 'region', 'name'],
  blob: ['digest'],
  repository_blob: ['repository_id', 'digest'],
  manifest: ['repository_id', 'digest'],
  tag: ['repository_id', 'tag'],
} satisfies Partial<Record<keyof Schema, readonly string[]>>

/**
 * One query for each table: whether a row of it is found by its key, or no row where there is none. On SQLite it picks the row at
 * random, so that checks visit different pages, of the table and of the key's index.
 */
export function realRowQueries(dialect: 'sqlite' | 'postgres'): readonly string[] {
  return Object.entries(keys).map(([table, columns]) => {
    const names = columns.join(', ')
    const place = `where rowid >= (select abs(random() % (max(rowid) + 1)) from ${table})`
    const pick = `select ${names} from ${table} ${dialect === 'sqlite' ? place : ''} limit 1`
    const same = columns.map((column) => `it.${column} = picked.${column}`).join(' and ')
    return `with picked as materialized (${pick})
      select cast(exists (select 1 from ${table} as it where ${same}) as integer) as found from picked`
  })
}

/** @throws Error unless the row is there */
export function requireFound(rows: readonly { readonly found?: unknown }[]): void {
  if (rows.some(({ found }) => found !== 1)) throw new Error('the database is damaged: a row is not found by its key')
}
