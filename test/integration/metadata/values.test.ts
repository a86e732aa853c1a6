/** Values go in and come out alike on both dialects, and sort alike. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { eachDatabase, sqliteUrl } from '#test/support/databases.ts'

async function addRepository(metadata: Metadata, name: string): Promise<number> {
  const { id } = await metadata.transaction((trx) =>
    trx
      .insertInto('repository')
      .values({
        ...{ account: '000000000000', region: 'us-east-1', name, created_at: 0 },
        ...{ tag_mutability: 'MUTABLE', tag_mutability_exclusions: '[]', scan_on_push: 0 },
        ...{ encryption_type: 'AES256', kms_key: null, resource_tags: '{}' },
      })
      .returning('id')
      .executeTakeFirstOrThrow(),
  )
  return id
}

eachDatabase((databases) =>
  describe(`values on ${databases.dialect}`, () => {
    test('text sorts and compares by its bytes', async (t) => {
      const metadata = await databases.open(t)
      const names = ['a', 'B', 'a-b', 'a_b', 'ab', 'a.b', 'Z', 'z', 'a/b', 'é', '1', '10', '2']
      for (const name of names) await addRepository(metadata, name)
      const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      const rows = await metadata.reader.selectFrom('repository').select('name').orderBy('name').execute()
      assert.deepEqual(
        rows.map(({ name }) => name),
        byBytes,
      )
      const past = await metadata.reader
        .selectFrom('repository')
        .select('name')
        .where('name', '>', 'a-b')
        .orderBy('name')
        .execute()
      assert.deepEqual(
        past.map(({ name }) => name),
        byBytes.slice(byBytes.indexOf('a-b') + 1),
      )
    })

    test('64-bit integers are numbers, and so are counts', async (t) => {
      const metadata = await databases.open(t)
      const id = await addRepository(metadata, 'app')
      assert.equal(typeof id, 'number')
      await metadata.transaction((trx) =>
        trx.insertInto('blob').values({ digest: 'd', size: Number.MAX_SAFE_INTEGER, stored_at: 1 }).execute(),
      )
      const row = await metadata.reader
        .selectFrom('blob')
        .select((eb) => ['size', eb.fn.countAll<number>().as('count')])
        .groupBy('size')
        .executeTakeFirst()
      assert.equal(row?.size, Number.MAX_SAFE_INTEGER)
      assert.equal(row.count, 1)
    })

    test('bytes come back as they went in', async (t) => {
      const metadata = await databases.open(t)
      const repository_id = await addRepository(metadata, 'app')
      const bodies = [Buffer.alloc(0), Buffer.from([0, 255, 0, 128]), randomBytes(4 * 1024 * 1024)]
      for (const [index, body] of bodies.entries()) {
        const digest = String(index)
        const values = { repository_id, digest, body, annotations: null }
        await metadata.transaction((trx) => trx.insertInto('manifest_content').values(values).execute())
        const row = await metadata.reader
          .selectFrom('manifest_content')
          .select('body')
          .where('digest', '=', digest)
          .executeTakeFirstOrThrow()
        assert.ok(row.body instanceof Uint8Array)
        assert.ok(body.equals(row.body))
      }
    })

    test('a prepared query binds each call its own values, those of the query itself included', async (t) => {
      const metadata = await databases.open(t)
      for (const name of ['a', 'b', 'c']) await addRepository(metadata, name)
      const find = metadata.prepare<{ first: string; second: string }, { name: string }>((db, p) =>
        db
          .selectFrom('repository')
          .select('name')
          .where('region', '=', 'us-east-1')
          .where((eb) => eb.or([eb('name', '=', p('second')), eb('name', '=', p('first'))]))
          .orderBy('name'),
      )
      const names = async (first: string, second: string) => (await find({ first, second })).map(({ name }) => name)
      assert.deepEqual(await names('a', 'b'), ['a', 'b'])
      assert.deepEqual(await Promise.all([names('c', 'x'), names('x', 'b')]), [['c'], ['b']])
    })

    test('a prepared query takes any text as a value', async (t) => {
      const metadata = await databases.open(t)
      await addRepository(metadata, 'app')
      const find = metadata.prepare<{ name: string }, { name: string }>((db, p) =>
        db.selectFrom('repository').select('name').where('name', '=', p('name')),
      )
      const text = fc.string({ unit: 'grapheme' }).filter((name) => name !== 'app' && !name.includes('\0'))
      await fc.assert(
        fc.asyncProperty(text, async (name) => {
          assert.deepEqual(await find({ name }), [])
        }),
      )
      assert.deepEqual(
        (await find({ name: 'app' })).map(({ name }) => name),
        ['app'],
      )
    })

    test('a list finds what is in it, however long it is', async (t) => {
      const metadata = await databases.open(t)
      const names = Array.from({ length: 40_000 }, (_, at) => `${at}'"é🙂`)
      for (const name of names.slice(0, 3)) await addRepository(metadata, name)
      const among = async (list: string[]) =>
        (await metadata.reader.selectFrom('repository').select('name').where('name', 'in', list).execute()).length
      assert.equal(await among(names.slice(1, 2)), 1)
      assert.equal(await among(names), 3)
      assert.equal(await among(names.slice(3)), 0)
    })

    test('many rows are written at once as they are', async (t) => {
      const metadata = await databases.open(t)
      const rows = Array.from({ length: 20_000 }, (_, at) => ({
        digest: `${at}'"é🙂`,
        size: Number.MAX_SAFE_INTEGER - at,
        stored_at: at,
      }))
      const insert = (values: typeof rows) =>
        metadata.transaction((trx) =>
          trx
            .insertInto('blob')
            .values(values)
            .onConflict((conflict) => conflict.doNothing())
            .execute(),
        )
      await insert(rows)
      await insert(rows.slice(0, 2))
      const stored = await metadata.reader.selectFrom('blob').selectAll().orderBy('stored_at').execute()
      // Compared as one text: a difference among so many rows would take minutes to print.
      const print = (all: typeof rows) => all.map((row) => `${row.digest} ${row.size} ${row.stored_at}`).join()
      assert.ok(print(stored) === print(rows))
    })
  }),
)

test('on SQLite the length of a list makes no other statement', async (t) => {
  const metadata = await openMetadata(await sqliteUrl(), assert.fail)
  t.after(() => metadata.close())
  const digests = ['a', 'b', 'c']
  const rows = digests.map((digest) => ({ digest, size: 1, stored_at: 1 }))
  await metadata.transaction(async (trx) => {
    const select = (list: string[]) => trx.selectFrom('blob').selectAll().where('digest', 'in', list).compile()
    assert.equal(select(digests).sql, select(digests.slice(0, 1)).sql)
    const insert = (values: typeof rows) => trx.insertInto('blob').values(values).compile()
    assert.equal(insert(rows).sql, insert(rows.slice(0, 2)).sql)
  })
})
