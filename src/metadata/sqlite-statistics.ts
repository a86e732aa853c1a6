import type { DatabaseSync } from 'node:sqlite'

/**
 * What SQLite's planner is told of how our tables are filled. Untold, it takes any index's first column for one that leaves ten
 * rows, and so reads all of a repository's to find a few: with 100,000 images that holds the process for seconds. The numbers are
 * those of a large registry and are never measured, so that a query has the same plan everywhere, and from the first day on
 * (SQLite, "The SQLite Query Optimizer Overview", sqlite_stat1).
 *
 * Of each index: its rows, then how many of them have one value of its first column, of its first two, and so on.
 */
const rowsByIndex: readonly (readonly [table: string, index: string, rows: string])[] = [
  ['manifest', 'sqlite_autoindex_manifest_1', '1000000 10000 1'],
  ['manifest', 'manifest_status', '1000000 10000 1000 1'],
  ['manifest', 'manifest_subject', '100000 1000 3 1'],
  ['manifest_content', 'sqlite_autoindex_manifest_content_1', '1000000 10000 1'],
  ['manifest_reference', 'sqlite_autoindex_manifest_reference_1', '10000000 100000 10 1 1'],
  ['manifest_reference', 'manifest_reference_child', '10000000 100000 5'],
  ['manifest_reference', 'manifest_reference_manifest', '1000000 10000 5 1'],
  ['tag', 'sqlite_autoindex_tag_1', '1000000 10000 1'],
  ['tag', 'tag_digest', '1000000 10000 2 1'],
  ['repository_blob', 'sqlite_autoindex_repository_blob_1', '5000000 50000 1'],
  ['repository_blob', 'repository_blob_digest', '5000000 2'],
]

/** Connections that are opened afterwards read it; this one is told to. Writes nothing if the database holds it already. */
export function teachPlanner(database: DatabaseSync): void {
  const present = database.prepare("select 1 from sqlite_schema where name = 'sqlite_stat1'").get() !== undefined
  if (present && isTaught(database)) return
  database.exec('begin immediate')
  // Makes the table, which only SQLite may.
  database.exec('analyze sqlite_schema; delete from sqlite_stat1')
  const insert = database.prepare('insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)')
  for (const row of rowsByIndex) insert.run(...row)
  database.exec('commit')
  database.exec('analyze sqlite_schema')
}

function isTaught(database: DatabaseSync): boolean {
  const rows = database.prepare('select tbl, idx, stat from sqlite_stat1 order by rowid').all()
  return JSON.stringify(rows.map(({ tbl, idx, stat }) => [tbl, idx, stat])) === JSON.stringify(rowsByIndex)
}
