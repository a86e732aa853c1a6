/** A commit is on the disk when it returns. The default of the database server does not matter. `durability.test.ts` sees it happen on SQLite. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { connectSqlite } from '#metadata/sqlite.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

/** SQLite, "PRAGMA synchronous": 2 is FULL, 3 is EXTRA. */
const full = 2

test('a connection that writes to SQLite syncs its log at each commit', async () => {
  await using folder = await temporaryFolder()
  const database = connectSqlite(join(folder.path, 'lading.db'), false)
  assert.equal(database.prepare('pragma journal_mode').get()?.journal_mode, 'wal')
  assert.equal(database.prepare('pragma synchronous').get()?.synchronous, full)
  database.close()
})

eachDatabase(({ dialect, url, open }) => {
  if (dialect !== 'postgres') return
  for (const [ofDatabase, wanted] of [
    ['off', 'on'],
    ['on', 'on'],
    ['remote_apply', 'remote_apply'],
  ] as const) {
    test(`synchronous_commit is ${wanted} where the database's default is ${ofDatabase}`, async (t) => {
      const database = await url()
      const client = new pg.Client(database)
      await client.connect()
      const name = client.escapeIdentifier(client.database ?? '')
      await client.query(`alter database ${name} set synchronous_commit = ${ofDatabase}`)
      await client.end()

      const metadata = await open(t, database)
      const inTransactions = Array.from({ length: 5 }, () =>
        metadata.transaction(async (trx) => {
          const { rows } = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(trx)
          return rows[0]?.synchronous_commit
        }),
      )
      assert.deepEqual(await Promise.all(inTransactions), Array(5).fill(wanted))
    })
  }
})
