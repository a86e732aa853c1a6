/** The key of secrets: made once, kept for its owner, and demanded by the database that it belongs to. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createSecretBox } from '#iam/secret-box.ts'
import { openSecrets } from '#iam/secret-key.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

describe('a secret box', () => {
  test('opens what it sealed, and nothing that was altered or that another sealed', () => {
    const box = createSecretBox(randomBytes(32))
    const sealed = box.seal('wJalr/é')
    assert.equal(box.open(sealed), 'wJalr/é')
    assert.notEqual(box.seal('wJalr/é'), sealed)
    assert.throws(() => createSecretBox(randomBytes(32)).open(sealed))
    for (const text of ['', 'wJalr', 'v1.', sealed.slice(0, -4), `${sealed.slice(0, 20)}x${sealed.slice(21)}`]) {
      assert.throws(() => box.open(text), text)
    }
  })
})

eachDatabase((databases) =>
  describe(`the key of secrets on ${databases.dialect}`, () => {
    test('processes that start at once make one key, readable by their user alone', async (t) => {
      await using folder = await temporaryFolder()
      const metadata = await databases.open(t)
      const dataDir = join(folder.path, 'data')
      const boxes = await Promise.all([1, 2, 3].map(() => openSecrets({ metadata, secretKey: undefined, dataDir })))
      const sealed = boxes[0]?.seal('text') ?? ''
      for (const box of boxes) assert.equal(box.open(sealed), 'text')
      assert.equal((await stat(join(dataDir, 'secret.key'))).mode & 0o777, 0o600)
    })

    test('a database refuses any key but its own', async (t) => {
      await using folder = await temporaryFolder()
      const metadata = await databases.open(t)
      const dataDir = folder.path
      await openSecrets({ metadata, secretKey: undefined, dataDir })
      const text = await readFile(join(dataDir, 'secret.key'), 'utf8')
      await openSecrets({ metadata, secretKey: Buffer.from(text, 'base64'), dataDir: join(dataDir, 'other') })
      await assert.rejects(openSecrets({ metadata, secretKey: randomBytes(32), dataDir }), /sealed with another key/)
      await writeFile(join(dataDir, 'secret.key'), 'short')
      await assert.rejects(openSecrets({ metadata, secretKey: undefined, dataDir }), /does not hold 32 bytes/)
    })

    test('what a database of an earlier version holds in clear is sealed at the first start', async (t) => {
      await using folder = await temporaryFolder()
      const metadata = await databases.open(t)
      await metadata.transaction(async (trx) => {
        await trx.insertInto('account').values({ id: '111111111111', created_at: 0 }).execute()
        await trx
          .insertInto('access_key')
          .values({ id: 'AKIA', account: '111111111111', secret: 'clear', created_at: 0 })
          .execute()
        await trx.insertInto('token_key').values({ id: 'first', secret: 'clear', created_at: 0 }).execute()
      })
      const open = () => openSecrets({ metadata, secretKey: undefined, dataDir: folder.path })
      const box = await open()
      await open()
      for (const table of ['access_key', 'token_key'] as const) {
        const { secret } = await metadata.reader.selectFrom(table).select('secret').executeTakeFirstOrThrow()
        assert.equal(box.open(secret), 'clear')
      }
    })
  }),
)
