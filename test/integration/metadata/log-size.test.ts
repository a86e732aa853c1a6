/** SQLite's log does not keep the size that one long transaction needed. */
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { openMetadata } from '#metadata/open.ts'
import { sqliteUrl } from '#test/support/databases.ts'

const mib = 1024 * 1024

test('the log is cut to 64 MiB after a long transaction', async (t) => {
  const url = await sqliteUrl()
  const metadata = await openMetadata(url, assert.fail)
  t.after(() => metadata.close())
  const logBytes = async () => (await stat(`${url.slice('sqlite:'.length)}-wal`)).size
  const add = (digest: string) => ({ digest, size: 1, stored_at: 1 })
  await metadata.transaction(async (trx) => {
    for (let at = 0; at < 20; at++)
      await trx
        .insertInto('blob')
        .values(add(`${at}`.padEnd(4 * mib, 'x')))
        .execute()
  })
  assert.ok((await logBytes()) > 64 * mib)
  await metadata.transaction((trx) => trx.insertInto('blob').values(add('next')).execute())
  assert.ok((await logBytes()) <= 64 * mib, `${await logBytes()} bytes`)
})
