/** A migration that fails, or a process that dies in one, leaves the schema as it was. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import pg from 'pg'
import { openMetadata } from '#metadata/open.ts'
import { emptyPostgresUrl, sqliteUrl } from '#test/support/databases.ts'

/** In the way of the second migration, so that it fails after the first has run. */
const obstacle = 'create table manifest_reference (x integer)'

describe('a migration that fails leaves none of it', () => {
  test('on SQLite', async () => {
    const url = await sqliteUrl()
    const database = new DatabaseSync(url.slice('sqlite:'.length))
    database.exec(obstacle)
    await assert.rejects(openMetadata(url, assert.fail), /manifest_reference/)
    const tables = database.prepare(`select name from sqlite_master where name in ('account', 'repository')`).all()
    assert.deepEqual(tables, [])

    database.exec('drop table manifest_reference')
    database.close()
    await (await openMetadata(url, assert.fail)).close()
  })

  test('on PostgreSQL', async () => {
    const url = await emptyPostgresUrl()
    const client = new pg.Client(url)
    await client.connect()
    await client.query(obstacle)
    await assert.rejects(openMetadata(url, assert.fail), /manifest_reference/)
    const { rows } = await client.query(`select relname from pg_class where relname in ('account', 'repository')`)
    assert.deepEqual(rows, [])

    await client.query('drop table manifest_reference')
    await client.end()
    await (await openMetadata(url, assert.fail)).close()
  })
})
