import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ensureAccount } from '#iam/accounts.ts'
import { createSessions } from '#iam/sessions.ts'
import { parseAccountId } from '#names/account.ts'
import { eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111111111111')
const hour = 3_600_000

eachDatabase((databases) => {
  describe(`sessions, ${databases.dialect}`, () => {
    test('a session is kept until what it asked for has ended, and a few that are older go with each new one', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => ensureAccount(trx, account, 0))
      const time = { now: 1_000_000 }
      const sessions = createSessions({ metadata, clock: () => time.now, box: { seal: (text) => text } })
      const create = () =>
        sessions.create({ account, owner: { kind: 'root', id: account }, policies: [], facts: {}, seconds: 900 })
      const count = async () => (await metadata.reader.selectFrom('session').select('id').execute()).length
      for (let made = 0; made < 25; made++) await create()
      time.now += 12 * hour + 900_000
      await create()
      assert.equal(await count(), 26)
      time.now += 2 * hour
      await create()
      assert.equal(await count(), 7)
      await create()
      assert.equal(await count(), 3)
    })

    test('neither the secret nor the token is in the database', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => ensureAccount(trx, account, 0))
      const box = { seal: (text: string) => `sealed ${text.length}` }
      const sessions = createSessions({ metadata, clock: () => 1_500, box })
      const owner = { kind: 'role', id: 'AROA1' } as const
      const made = await sessions.create({ account, owner, name: 'x', policies: [], facts: {}, seconds: 900 })
      assert.equal(made.expiresAt, 901_000)
      const stored = JSON.stringify(await metadata.reader.selectFrom('session').selectAll().execute())
      for (const secret of [made.secretAccessKey, made.sessionToken]) assert.ok(!stored.includes(secret))
      assert.ok(stored.includes('sealed 40'))
    })
  })
})
