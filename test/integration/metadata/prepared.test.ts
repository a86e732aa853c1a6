/** What `Metadata.prepare` promises: a call sees whatever was committed before it, by whichever process. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { RememberedRows } from '#metadata/remembered-rows.ts'
import { eachDatabase, sqliteUrl } from '#test/support/databases.ts'

const id = '000000000001'

const prepareFind = (metadata: Metadata) =>
  metadata.prepare<{ id: string }, { created_at: number }>((db, p) =>
    db.selectFrom('account').select('created_at').where('id', '=', p('id')),
  )

const put = (metadata: Metadata, created_at: number) =>
  metadata.transaction((trx) =>
    trx
      .insertInto('account')
      .values({ id, created_at })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ created_at }))
      .execute(),
  )

eachDatabase((databases) =>
  describe(`prepared queries on ${databases.dialect}`, () => {
    test('each call sees the last commit, and nothing that was not committed', async (t) => {
      const metadata = await databases.open(t)
      const find = prepareFind(metadata)
      assert.deepEqual(await find({ id }), [])
      for (const created_at of [1, 2, 3]) {
        await put(metadata, created_at)
        for (let call = 0; call < 2; call++) assert.deepEqual(await find({ id }), [{ created_at }])
      }
      await metadata.transaction(async (trx) => {
        await trx.updateTable('account').set({ created_at: 4 }).execute()
        assert.deepEqual(await find({ id }), [{ created_at: 3 }])
      })
      assert.deepEqual(await find({ id }), [{ created_at: 4 }])
      await metadata.transaction((trx) => trx.deleteFrom('account').execute())
      assert.deepEqual(await find({ id }), [])
    })

    test('calls with other parameters have other rows', async (t) => {
      const metadata = await databases.open(t)
      const find = prepareFind(metadata)
      await put(metadata, 1)
      assert.deepEqual(await find({ id }), [{ created_at: 1 }])
      assert.deepEqual(await find({ id: '000000000002' }), [])
      assert.deepEqual(await find({ id }), [{ created_at: 1 }])
    })
  }),
)

test('on SQLite, a call sees what another process has committed', async (t) => {
  const url = await sqliteUrl()
  const metadata = await openMetadata(url, assert.fail)
  t.after(() => metadata.close())
  const find = prepareFind(metadata)
  await put(metadata, 1)
  const update = `const { DatabaseSync } = require('node:sqlite')
    new DatabaseSync(process.argv[1]).exec('update account set created_at = created_at + 1')`
  for (const created_at of [1, 2, 3]) {
    for (let call = 0; call < 2; call++) assert.deepEqual(await find({ id }), [{ created_at }])
    execFileSync(process.execPath, ['-e', update, url.slice('sqlite:'.length)])
  }
})

describe('remembered rows', () => {
  const mebibytes = (count: number) => [{ body: new Uint8Array(count * 1024 * 1024) }]

  test('are found for the version that gave them and no other', () => {
    const remembered = new RememberedRows<object>()
    const rows = [{}]
    assert.equal(remembered.find('a', 1), undefined)
    remembered.remember('a', rows)
    assert.equal(remembered.find('a', 1), rows)
    assert.equal(remembered.find('b', 1), undefined)
    assert.equal(remembered.find('a', 2), undefined)
    assert.equal(remembered.find('a', 1), undefined)
  })

  test('are forgotten before they hold more than 8 MiB', () => {
    const remembered = new RememberedRows<object>()
    remembered.find('a', 1)
    remembered.remember('a', mebibytes(4))
    remembered.remember('b', mebibytes(3))
    assert.notEqual(remembered.find('a', 1), undefined)
    remembered.remember('c', mebibytes(4))
    assert.equal(remembered.find('a', 1), undefined)
    assert.notEqual(remembered.find('c', 1), undefined)
    remembered.remember('d', mebibytes(9))
    assert.equal(remembered.find('d', 1), undefined)
    assert.notEqual(remembered.find('c', 1), undefined)
  })
})
