/** The migration that moves the content of images to a table of its own keeps every byte, and every other fact. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { postgresColumns, sqliteColumns } from '#metadata/columns.ts'
import { migrate } from '#metadata/migrate.ts'
import type { Schema } from '#metadata/schema.ts'
import type { AnyRow } from '#metadata/snapshot.ts'
import { nodeSqliteDialect } from '#metadata/sqlite-dialect.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImages } from '#registry/images.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { aPuller } from '#test/support/puller.ts'

const before = '0014-blob-store'
const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const key = { registry, name: parseRepositoryName('team/app') }
const digestOf = (number: number) => parseDigest(`sha256:${String(number).padStart(64, '0')}`)

/** A database with the schema before the move, which no type describes any more. */
type Past = Kysely<Record<string, AnyRow>>

async function openPast(url: string): Promise<Past & AsyncDisposable> {
  const isSqlite = url.startsWith('sqlite:')
  const database = isSqlite
    ? new DatabaseSync(url.slice('sqlite:'.length), { enableForeignKeyConstraints: true })
    : undefined
  const dialect =
    database === undefined
      ? new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) })
      : nodeSqliteDialect(database, 'exclusive')
  await migrate(new Kysely<Schema>({ dialect }), isSqlite ? sqliteColumns : postgresColumns, before)
  const db = new Kysely<Record<string, AnyRow>>({ dialect })
  return Object.assign(db, {
    async [Symbol.asyncDispose]() {
      await db.destroy()
      database?.close()
    },
  })
}

/** Of an image, and what only the recycle bin knows of one. */
function imageRow(number: number, body: Uint8Array, annotations: string | null) {
  return {
    ...{ repository_id: 1, digest: digestOf(number), media_type: 'a/b', artifact_type: `type ${number}` },
    ...{ subject: digestOf(number + 100), annotations, body, image_size: number, pushed_at: 10 + number },
    ...{ pulled_at: 20 + number, status: 'ACTIVE', archived_at: 30 + number, activated_at: 40 + number },
  }
}
const binned = { tags: '["v1"]', deleted_at: 50, deleted_by: 'ann', cause: 'delete', purge_at: 10 ** 15 }

eachDatabase((databases) =>
  describe(`the move of manifest content on ${databases.dialect}`, () => {
    test('images and deleted images keep their bytes, annotations and columns', async (t) => {
      const url = await databases.emptyUrl()
      const [large, small, pushedAgain, gone] = [
        imageRow(1, randomBytes(4 * 1024 * 1024), '{"large":"yes"}'),
        imageRow(2, Buffer.from('{"small":1}'), null),
        imageRow(3, Buffer.from('{"again":1}'), '{"again":"yes"}'),
        imageRow(4, randomBytes(1024 * 1024), '{"gone":"yes"}'),
      ]
      await fill(url, { images: [large, small, pushedAgain], deleted: [pushedAgain, gone] })

      const metadata = await databases.open(t, url)
      const { reader } = metadata
      const contents = await reader.selectFrom('manifest_content').selectAll().orderBy('digest').execute()
      const expected = [large, small, pushedAgain, gone]
      assert.equal(contents.length, expected.length, 'one row for an image that was pushed again')
      for (const [at, { digest, body, annotations }] of expected.entries()) {
        assert.deepEqual([contents[at]?.digest, contents[at]?.annotations], [digest, annotations])
        assert.ok(Buffer.from(body).equals(contents[at]?.body ?? Buffer.alloc(0)), `the body of ${digest}`)
      }
      const without = ({ body, annotations, ...row }: ImageRow) => row
      assert.deepEqual(
        await reader.selectFrom('manifest').selectAll().orderBy('digest').execute(),
        [large, small, pushedAgain].map(without),
      )
      assert.deepEqual(
        await reader.selectFrom('deleted_image').selectAll().orderBy('digest').execute(),
        [pushedAgain, gone].map((row) => ({ ...without(row), ...binned })),
      )
      const dangling = { repository_id: 1, tag: 'v3', digest: digestOf(9), moved_at: 1 }
      await assert.rejects(metadata.transaction((trx) => trx.insertInto('tag').values(dangling).execute()))

      const { digests } = await createDeletedImages({ metadata, clock: Date.now, quotas }).restore(
        key,
        gone.digest,
        'ann',
      )
      assert.deepEqual(digests, [gone.digest])
      const { pull } = createImages({
        metadata,
        pulls: { record: () => {}, flush: async () => {}, stop: async () => {} },
      })
      assert.ok(Buffer.from(gone.body).equals((await pull(key, { digest: gone.digest }, aPuller('ann'))).body))
    })

    test('pages that held bodies are full of small rows afterwards', async (t) => {
      const url = await databases.emptyUrl()
      // Each fills most of a page of SQLite. PostgreSQL keeps what does not compress in the row, if it has less than 2 KB.
      const images = Array.from({ length: 400 }, (_, at) => imageRow(at, randomBytes(1_500), null))
      await fill(url, { images, deleted: images })
      const metadata = await databases.open(t, url)
      const query =
        databases.dialect === 'sqlite'
          ? sql<PageCount>`select name, count(*) as pages from dbstat where name in ('manifest', 'deleted_image') group by name`
          : sql<PageCount>`select relname as name, pg_relation_size(oid) / 8192 as pages from pg_class
              where relname in ('manifest', 'deleted_image')`
      const { rows } = await metadata.transaction((trx) => query.execute(trx))
      assert.equal(rows.length, 2)
      for (const { name, pages } of rows) assert.ok(pages < images.length / 8, `${name} has ${pages} pages`)
    })
  }),
)

interface PageCount {
  readonly name: string
  readonly pages: number
}

type ImageRow = ReturnType<typeof imageRow>

async function fill(
  url: string,
  { images, deleted }: { images: readonly ImageRow[]; deleted: readonly ImageRow[] },
): Promise<void> {
  await using past = await openPast(url)
  await past
    .insertInto('repository')
    .values({
      ...{ id: 1, account: registry.account, region: registry.region, name: key.name, created_at: 1 },
      ...{ tag_mutability: 'MUTABLE', tag_mutability_exclusions: '[]', scan_on_push: 0 },
      ...{ encryption_type: 'AES256', resource_tags: '{}' },
    })
    .execute()
  for (const row of images) {
    await past.insertInto('manifest').values(row).execute()
    const tag = { repository_id: 1, tag: `v${row.image_size}`, digest: row.digest, moved_at: 1 }
    await past.insertInto('tag').values(tag).execute()
  }
  for (const row of deleted) {
    await past
      .insertInto('deleted_image')
      .values({ ...row, ...binned })
      .execute()
  }
}
