/** A database with destroyed pages is not ready, although it opens and answers `select 1`. */
import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { eachDatabase, sqliteUrl } from '#test/support/databases.ts'

const digests = Array.from({ length: 2_000 }, (_, at) => `sha256:${String(at).padStart(64, '0')}`)

async function fill(metadata: Metadata): Promise<void> {
  await metadata.transaction(async (trx) => {
    await trx.insertInto('account').values({ id: '000000000001', created_at: 0 }).execute()
    for (const digest of digests) await trx.insertInto('blob').values({ digest, size: 1, stored_at: 0 }).execute()
  })
}

/** Overwrites every page but the first, which has the schema's root, and those that `keep` names. */
async function destroyPages(path: string, keep: (page: number) => boolean): Promise<void> {
  const database = new DatabaseSync(path)
  database.exec('pragma wal_checkpoint(truncate)')
  const { page_size: size = 0 } = database.prepare('pragma page_size').get() ?? {}
  const { page_count: count = 0 } = database.prepare('pragma page_count').get() ?? {}
  database.close()
  await using file = await open(path, 'r+')
  const garbage = Buffer.alloc(Number(size), 0xa5)
  for (let page = 2; page <= Number(count); page++) {
    if (!keep(page)) await file.write(garbage, 0, garbage.length, (page - 1) * garbage.length)
  }
}

/** The pages of a table's or an index's tree, by their root. */
function rootOf(path: string, name: string): number {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Number(database.prepare('select rootpage from sqlite_schema where name = ?').get(name)?.rootpage)
  } finally {
    database.close()
  }
}

for (const [what, keepOf] of [
  ['every page', () => () => false],
  ['the table of blobs', (path: string) => (page: number) => page !== rootOf(path, 'blob')],
  ['the index of blobs', (path: string) => (page: number) => page !== rootOf(path, 'sqlite_autoindex_blob_1')],
] as const) {
  test(`the check fails while a server runs and its database loses ${what}`, async (t) => {
    const url = await sqliteUrl()
    const path = url.slice('sqlite:'.length)
    const metadata = await openMetadata(url, assert.fail)
    t.after(() => metadata.close())
    await fill(metadata)
    // What this connection has read stays in its cache.
    await metadata.reader.selectFrom('blob').selectAll().execute()
    await destroyPages(path, keepOf(path))
    await assert.rejects(metadata.check(), /malformed|damaged|disk image/)
  })
}

eachDatabase((databases) =>
  describe(`the check of a database, ${databases.dialect}`, () => {
    test('passes when it is empty and when it has rows, again and again', async (t) => {
      const metadata = await databases.open(t)
      await metadata.check()
      await fill(metadata)
      for (let again = 0; again < 3; again++) await metadata.check()
    })
  }),
)
