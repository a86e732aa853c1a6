import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ensureAccount } from '#iam/accounts.ts'
import type { SessionOpener } from '#iam/session-quota.ts'
import { createSessions } from '#iam/sessions.ts'
import { parseAccountId } from '#names/account.ts'
import { eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111111111111')
const hour = 3_600_000
const quotas = { sessionsPerPrincipal: 25 }
const opener = { kind: 'principal', id: account } as const

eachDatabase((databases) => {
  describe(`sessions, ${databases.dialect}`, () => {
    test('a session is kept until what it asked for has ended, and a few that are older go with each new one', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => ensureAccount(trx, account, 0))
      const time = { now: 1_000_000 }
      const sessions = createSessions({ metadata, clock: () => time.now, box: { seal: (text) => text }, quotas })
      const create = () =>
        sessions.create({
          account,
          owner: { kind: 'root', id: account },
          policies: [],
          facts: {},
          seconds: 900,
          opener,
        })
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

    test('a caller has so many live sessions and no more, however many it asks for at once', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => ensureAccount(trx, account, 0))
      const time = { now: 1_000_000 }
      const box = { seal: (text: string) => text }
      const sessions = createSessions({ metadata, clock: () => time.now, box, quotas: { sessionsPerPrincipal: 3 } })
      const create = async (by: SessionOpener) => {
        const owner = { kind: 'root', id: account } as const
        const asked = sessions.create({ account, owner, policies: [], facts: {}, seconds: 900, opener: by })
        return asked.then(
          ({ accessKeyId }) => accessKeyId,
          (error: { code?: string }) => error.code,
        )
      }
      const made = await Promise.all(Array.from({ length: 10 }, () => create({ kind: 'principal', id: 'AIDA1' })))
      assert.equal(made.filter((outcome) => outcome === 'SessionQuotaExceeded').length, 7)
      const accessKeyId = made.find((outcome) => outcome !== 'SessionQuotaExceeded') ?? ''
      assert.equal(await create({ kind: 'session', accessKeyId }), 'SessionQuotaExceeded')
      assert.match((await create({ kind: 'principal', id: 'AIDA2' })) ?? '', /^ASIA/)
      time.now += 900_001
      for (let round = 0; round < 9; round++) {
        for (let count = 0; count < 3; count++)
          assert.match((await create({ kind: 'principal', id: 'AIDA1' })) ?? '', /^ASIA/)
        time.now += 900_001
      }
      // Ten times the quota are kept: ended sessions are rows for hours.
      assert.equal(await create({ kind: 'principal', id: 'AIDA1' }), 'SessionQuotaExceeded')
      time.now += 14 * hour
      assert.match((await create({ kind: 'principal', id: 'AIDA2' })) ?? '', /^ASIA/)
      await create({ kind: 'principal', id: 'AIDA2' })
      assert.match((await create({ kind: 'principal', id: 'AIDA1' })) ?? '', /^ASIA/)
    })

    test('neither the secret nor the token is in the database', async (t) => {
      const metadata = await databases.open(t)
      await metadata.transaction((trx) => ensureAccount(trx, account, 0))
      const box = { seal: (text: string) => `sealed ${text.length}` }
      const sessions = createSessions({ metadata, clock: () => 1_500, box, quotas })
      const owner = { kind: 'role', id: 'AROA1' } as const
      const made = await sessions.create({ account, owner, name: 'x', policies: [], facts: {}, seconds: 900, opener })
      assert.equal(made.expiresAt, 901_000)
      const stored = JSON.stringify(await metadata.reader.selectFrom('session').selectAll().execute())
      for (const secret of [made.secretAccessKey, made.sessionToken]) assert.ok(!stored.includes(secret))
      assert.ok(stored.includes('sealed 40'))
    })
  })
})
