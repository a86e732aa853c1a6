/** A PostgreSQL that ends connections, as one that restarts does: what was under way fails, and everything else goes on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { startApp } from '#app.ts'
import { loadSettings } from '#config/load.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { logLines } from '#test/support/log-lines.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const ownPid = async (db: Transaction) =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid

/** Ends those connections to the database, and resolves when they are gone. */
async function terminate(url: string, condition: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  const others = `datname = current_database() and pid <> pg_backend_pid() and ${condition}`
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where ${others}`,
  )
  await client.end()
  assert.ok(rowCount !== null && rowCount > 0, 'there was a connection to end')
}

eachDatabase(({ dialect, url }) => {
  if (dialect !== 'postgres') return
  describe('a lost connection to PostgreSQL', () => {
    test('fails the transaction that used it, is told, and leaves the store at work', async () => {
      const database = await url()
      const lost = Promise.withResolvers<Error>()
      const metadata = await openMetadata(database, lost.resolve)
      const transaction = metadata.transaction(async (trx) => {
        await trx.insertInto('account').values({ id: '000000000001', created_at: 0 }).execute()
        await terminate(database, `pid = ${await ownPid(trx)}`)
        // Nothing is asked of the connection meanwhile: the error is nobody's answer.
        await lost.promise
        await trx.selectFrom('account').select('id').execute()
      })
      await assert.rejects(transaction)
      assert.match((await lost.promise).message, /terminat/)
      assert.deepEqual(await metadata.reader.selectFrom('account').select('id').execute(), [])
      await metadata.transaction((trx) =>
        trx.insertInto('account').values({ id: '000000000001', created_at: 0 }).execute(),
      )
      await metadata.close()
    })

    test('is logged with its reason and nothing else of it, by a server that goes on', async () => {
      const database = await url()
      await using folder = await temporaryFolder()
      const { log, text, lines } = logLines()
      const settings = loadSettings({
        flags: {},
        environment: { LADING_LISTEN: '127.0.0.1:0', LADING_DATA_DIR: folder.path, LADING_DATABASE: database },
      })
      const app = await startApp(settings, log)
      const isReady = async () => (await fetch(`${app.url}/readyz`)).status === 200
      assert.ok(await isReady())
      await terminate(database, 'true')
      // One that was being made just then is lost without a reason.
      const told = () =>
        lines().filter(
          ({ msg, reason, code }) =>
            msg === 'a connection to the database was lost' && /terminat.* 57P01/.test(`${reason} ${code}`),
        )
      await until(() => told().length > 0)
      assert.ok(await isReady())
      await app.stop()
      assert.doesNotMatch(text(), /secretKey|processID|password/)
    })
  })
})
