/** Opening a store brings its schema up to date: once, whole, whoever else is opening it, and never over a newer one. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import pg from 'pg'
import { openMetadata } from '#metadata/open.ts'
import { eachDatabase } from '#test/support/databases.ts'

const run = promisify(execFile)

/** What has been applied and when, read beside the store, which may refuse to open. */
async function applied(url: string): Promise<unknown[]> {
  const query = 'select name, timestamp from kysely_migration order by name'
  if (url.startsWith('sqlite:')) {
    const database = new DatabaseSync(url.slice('sqlite:'.length))
    const rows = database.prepare(query).all()
    database.close()
    return rows
  }
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query(query)
  await client.end()
  return rows
}

eachDatabase((databases) =>
  describe(`opening on ${databases.dialect}`, () => {
    test('a second opening migrates nothing and keeps what was written', async (t) => {
      const url = await databases.emptyUrl()
      const first = await openMetadata(url, assert.fail)
      await first.transaction((trx) =>
        trx.insertInto('account').values({ id: '000000000000', created_at: 5 }).execute(),
      )
      const before = await applied(url)
      await first.close()

      const second = await databases.open(t, url)
      assert.deepEqual(await applied(url), before)
      const account = await second.reader.selectFrom('account').select('created_at').executeTakeFirst()
      assert.equal(account?.created_at, 5)
    })

    test('openings at once in one process each find the whole schema', async (t) => {
      const url = await databases.emptyUrl()
      const opened = await Promise.all([1, 2, 3].map(() => databases.open(t, url)))
      for (const metadata of opened) {
        assert.deepEqual(await metadata.reader.selectFrom('upload').selectAll().execute(), [])
      }
    })

    test('processes that start at once on an empty database all start', async (t) => {
      const url = await databases.emptyUrl()
      const child = new URL('./open-child.ts', import.meta.url).pathname
      await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [child, url])))
      const before = await applied(url)
      await databases.open(t, url)
      assert.deepEqual(await applied(url), before)
    })

    test('a database that a newer version wrote is refused, and left alone', async () => {
      const url = await databases.emptyUrl()
      const newer = await openMetadata(url, assert.fail)
      await newer.transaction((trx) =>
        sql`insert into kysely_migration values ('9999-from-the-future', '2999-01-01T00:00:00.000Z')`.execute(trx),
      )
      const before = await applied(url)
      await newer.close()

      await assert.rejects(openMetadata(url, assert.fail), /newer version.*9999-from-the-future/)

      assert.deepEqual(await applied(url), before)
    })
  }),
)
