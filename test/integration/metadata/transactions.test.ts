/** What `Metadata.transaction` promises: all or nothing, nothing seen before it, and nothing lost between two at once. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { Kysely } from 'kysely'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { nodeSqliteDialect } from '#metadata/sqlite-dialect.ts'
import { eachDatabase, sqliteUrl } from '#test/support/databases.ts'

const addAccount = (trx: Transaction, id: string, created_at = 0) =>
  trx.insertInto('account').values({ id, created_at }).execute()

const accounts = async (metadata: Metadata) =>
  (await metadata.reader.selectFrom('account').select('id').orderBy('id').execute()).map(({ id }) => id)

/** Reads, lets others run, and writes what it read plus one. */
async function increment(trx: Transaction, id: string): Promise<void> {
  const { created_at } = await trx
    .selectFrom('account')
    .select('created_at')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  await new Promise((resolve) => setImmediate(resolve))
  await trx
    .updateTable('account')
    .set({ created_at: created_at + 1 })
    .where('id', '=', id)
    .execute()
}

eachDatabase((databases) =>
  describe(`transactions on ${databases.dialect}`, () => {
    test('a transaction that throws leaves nothing and rejects with what was thrown', async (t) => {
      const metadata = await databases.open(t)
      const thrown = new Error('stop')
      await assert.rejects(
        metadata.transaction(async (trx) => {
          await addAccount(trx, '000000000001')
          throw thrown
        }),
        (error) => error === thrown,
      )
      assert.deepEqual(await accounts(metadata), [])
      await metadata.transaction((trx) => addAccount(trx, '000000000002'))
      assert.deepEqual(await accounts(metadata), ['000000000002'])
    })

    test('a statement that fails leaves nothing of its transaction, and the store goes on', async (t) => {
      const metadata = await databases.open(t)
      await assert.rejects(
        metadata.transaction(async (trx) => {
          await addAccount(trx, '000000000001')
          await addAccount(trx, '000000000001')
        }),
      )
      assert.deepEqual(await accounts(metadata), [])
      await metadata.transaction((trx) => addAccount(trx, '000000000001'))
      assert.deepEqual(await accounts(metadata), ['000000000001'])
    })

    test('the reader does not see what has not been committed, and does not wait for it', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction(async (trx) => {
        await addAccount(trx, '000000000001')
        assert.equal((await trx.selectFrom('account').select('id').execute()).length, 1)
        assert.deepEqual(await accounts(metadata), [])
      })
      assert.deepEqual(await accounts(metadata), ['000000000001'])
    })

    test('a row read for update is not changed by another until the transaction ends', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => addAccount(trx, '000000000001'))
      await Promise.all(Array.from({ length: 20 }, () => metadata.transaction((trx) => increment(trx, '000000000001'))))
      const row = await metadata.reader.selectFrom('account').select('created_at').executeTakeFirst()
      assert.equal(row?.created_at, 20)
    })

    test('so it is between two stores over one database', async (t) => {
      const url = await databases.url()
      const stores = [await databases.open(t, url), await databases.open(t, url)]
      await stores[0]?.transaction((trx) => addAccount(trx, '000000000001'))
      const each = (store: Metadata) =>
        Promise.all(Array.from({ length: 10 }, () => store.transaction((trx) => increment(trx, '000000000001'))))
      await Promise.all(stores.map(each))
      const row = await stores[1]?.reader.selectFrom('account').select('created_at').executeTakeFirst()
      assert.equal(row?.created_at, 20)
    })

    test('transactions that lock the same rows in opposite orders both end', async (t) => {
      const metadata = await databases.open(t)
      const rows = ['000000000001', '000000000002'] as const
      await metadata.transaction(async (trx) => {
        for (const id of rows) await addAccount(trx, id)
      })
      let begun = 0
      const both = Promise.withResolvers<void>()
      const inOrder = (ids: readonly string[]) =>
        metadata.transaction(async (trx) => {
          for (const [index, id] of ids.entries()) {
            await increment(trx, id)
            // Each holds its first row before either asks for its second. SQLite never lets two begin.
            if (index === 0 && databases.dialect === 'postgres') {
              if (++begun === 2) both.resolve()
              await both.promise
            }
          }
        })
      await Promise.all([inOrder(rows), inOrder(rows.toReversed())])
      if (databases.dialect === 'postgres') assert.ok(begun > 2, 'one of them ran again')
      const counts = await metadata.reader.selectFrom('account').select('created_at').execute()
      assert.deepEqual(
        counts.map(({ created_at }) => created_at),
        [2, 2],
      )
    })

    test('row locks of every strength are accepted', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction(async (trx) => {
        await addAccount(trx, '000000000001')
        const row = () => trx.selectFrom('account').select('id')
        assert.equal((await row().forUpdate().execute()).length, 1)
        assert.equal((await row().forShare().execute()).length, 1)
        assert.equal((await row().forUpdate().skipLocked().execute()).length, 1)
      })
    })

    test('what was committed survives a store that is never closed', async (t) => {
      const url = await databases.url()
      const abandoned = await databases.open(t, url)
      await abandoned.transaction((trx) => addAccount(trx, '000000000001'))
      const metadata = await openMetadata(url, assert.fail)
      assert.deepEqual(await accounts(metadata), ['000000000001'])
      await metadata.close()
    })

    test('a store whose database is gone fails its check', async () => {
      const metadata = await openMetadata(await databases.url(), () => {})
      await metadata.check()
      await metadata.close()
      await assert.rejects(metadata.check())
    })
  }),
)

test('while another process writes to SQLite, who wants to write waits, and nobody else', async (t) => {
  const url = await sqliteUrl()
  const metadata = await openMetadata(url, assert.fail)
  t.after(() => metadata.close())
  const other = new DatabaseSync(url.slice('sqlite:'.length))
  t.after(() => other.close())
  other.exec('begin immediate')
  let written = false
  const writing = metadata
    .transaction((trx) => addAccount(trx, '000000000001'))
    .then(() => {
      written = true
    })
  const begun = performance.now()
  for (let turn = 0; turn < 100; turn++) {
    await new Promise((resolve) => setTimeout(resolve))
    assert.deepEqual(await accounts(metadata), [])
  }
  assert.ok(performance.now() - begun < 5_000, 'the process went on')
  assert.equal(written, false)
  other.exec('commit')
  await writing
  assert.deepEqual(await accounts(metadata), ['000000000001'])
})

test('who waits for another process behind others waits no longer than they', async (t) => {
  const path = (await sqliteUrl()).slice('sqlite:'.length)
  const [database, other] = [new DatabaseSync(path, { timeout: 0 }), new DatabaseSync(path)]
  t.after(() => database.close())
  t.after(() => other.close())
  other.exec('begin immediate')
  const waitMs = 500
  const writer = new Kysely({ dialect: nodeSqliteDialect(database, 'exclusive', waitMs) })
  const begun = performance.now()
  const waiting = Array.from({ length: 5 }, () => writer.transaction().execute(async () => {}))
  const ends = await Promise.allSettled(waiting)
  const tookMs = performance.now() - begun
  assert.ok(ends.every((end) => end.status === 'rejected' && /locked/.test(String(end.reason))))
  assert.ok(tookMs >= waitMs && tookMs < 2 * waitMs, `${tookMs} ms`)
  other.exec('commit')
  await writer.transaction().execute(async () => {})
})
