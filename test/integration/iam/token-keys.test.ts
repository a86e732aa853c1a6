/** Keys rotate under the tokens that they sealed, and a revoked one is out of use in every process within five seconds. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ensureRoot } from '#iam/access-keys.ts'
import { BasicCredentials } from '#iam/basic.ts'
import { Credentials } from '#iam/credentials.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { TokenKeys } from '#iam/token-keys.ts'
import { Tokens } from '#iam/tokens.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { eachDatabase } from '#test/support/databases.ts'

const sender = { ip: '127.0.0.1' }

const hourMs = 3_600_000
const region = parseRegion('us-east-1')
const account = parseAccountId('000000000000')
const key = { accessKeyId: 'AKIAFIRSTFIRSTFIRST1', secretAccessKey: 'the-secret-of-the-first' }
const malformed = (error: Refusal) => error.code === 'TokenMalformed'

/** One process over a store: its keys, its tokens, and a clock that a test moves. */
function processOver(metadata: Metadata, clock: { now: number }) {
  const time = () => clock.now
  const box = createSecretBox(Buffer.alloc(32, 1))
  const keys = new TokenKeys({ metadata, clock: time, box })
  const credentials = new Credentials({ metadata, box })
  const tokens = new Tokens({ keys, clock: time })
  const basic = new BasicCredentials({
    tokens,
    keys,
    credentials,
    clock: time,
  })
  return {
    keys,
    header: async () => {
      await ensureRoot({ metadata, clock: time, box }, account, key)
      const { principal } = (await credentials.find(key.accessKeyId)) ?? assert.fail('no such key')
      return `Basic ${(await tokens.issue(principal, { account, region })).authorizationToken}`
    },
    authenticate: (header: string) => basic.authenticate(header, sender),
  }
}

eachDatabase((databases) =>
  describe(`token keys on ${databases.dialect}`, () => {
    test('a first key is made when it is needed, once, and kept', async (t) => {
      const metadata = await databases.open(t)
      const clock = { now: 0 }
      const [one, two] = [processOver(metadata, clock), processOver(metadata, clock)]
      const headers = await Promise.all([one.header(), two.header(), one.header()])
      for (const header of headers) {
        await one.authenticate(header)
        await two.authenticate(header)
      }
      assert.equal((await metadata.reader.selectFrom('token_key').select('id').execute()).length, 1)
    })

    test('after a rotation old tokens are good and new ones are sealed by the new key', async (t) => {
      const metadata = await databases.open(t)
      const { keys, header, authenticate } = processOver(metadata, { now: 0 })
      const old = await header()
      await keys.rotate()
      const fresh = await header()
      const [first, second] = [await authenticate(old), await authenticate(fresh)]
      assert.notEqual(first.keyId, second.keyId)
      assert.equal((await keys.sealing()).id, second.keyId)
    })

    test('a token sealed by a key that another process has just added is good at once', async (t) => {
      const metadata = await databases.open(t)
      const clock = { now: 0 }
      const [one, two] = [processOver(metadata, clock), processOver(metadata, clock)]
      await two.authenticate(await one.header())
      await one.keys.rotate()
      await two.authenticate(await one.header())
    })

    test('a rotation deletes a key only when the last of its tokens has expired', async (t) => {
      const metadata = await databases.open(t)
      const clock = { now: 0 }
      const { keys, header, authenticate } = processOver(metadata, clock)
      const { keyId: first } = await authenticate(await header())

      clock.now = 20 * hourMs
      const last = await header()
      await keys.rotate()
      clock.now = 32 * hourMs - 1
      await keys.rotate()
      assert.equal((await authenticate(last)).keyId, first)

      clock.now = 33 * hourMs
      await keys.rotate()
      assert.ok(!(await keys.current()).has(first ?? ''))
      assert.equal((await keys.current()).size, 3)
    })

    test('the newest key seals, also when the clock that made the one before was ahead', async (t) => {
      const metadata = await databases.open(t)
      const ahead = processOver(metadata, { now: 60_000 })
      const behind = processOver(metadata, { now: 0 })
      const { keyId: old } = await ahead.authenticate(await ahead.header())
      await behind.keys.rotate()
      assert.notEqual((await behind.keys.sealing()).id, old)
    })

    test('revoking ends every token at once here and within five seconds elsewhere', async (t) => {
      const metadata = await databases.open(t)
      const clock = { now: 0 }
      const [one, two] = [processOver(metadata, clock), processOver(metadata, clock)]
      const header = await one.header()
      await one.authenticate(header)
      const remembered = await two.authenticate(header)

      await one.keys.rotate({ revoke: true })
      await assert.rejects(one.authenticate(header), malformed)
      clock.now = 2_499
      assert.equal(await two.authenticate(header), remembered, 'remembered, without a query')
      clock.now = 5_000
      await assert.rejects(two.authenticate(header), malformed)
      await two.authenticate(await one.header())
      assert.equal((await one.keys.current()).size, 1)
    })

    test('under steady requests the keys are read again before they are too old to serve', async (t) => {
      const metadata = await databases.open(t)
      const clock = { now: 0 }
      const [one, two] = [processOver(metadata, clock), processOver(metadata, clock)]
      const header = await one.header()
      await two.authenticate(header)
      await one.keys.rotate({ revoke: true })
      clock.now = 2_500
      await two.authenticate(header)
      // No time passes on the clock from here on: only the read that the request before set off can end this.
      const refused = async () => {
        const outcome = await two.authenticate(header).catch((error: Refusal) => error)
        await new Promise((resolve) => setImmediate(resolve))
        return outcome instanceof Error && malformed(outcome)
      }
      let requests = 0
      while (!(await refused())) assert.ok(++requests < 100_000)
    })

    test('rotations at once leave a store that seals and verifies', async (t) => {
      const metadata = await databases.open(t)
      const clock = { now: 0 }
      const processes = [1, 2, 3].map(() => processOver(metadata, clock))
      await processes[0]?.header()
      await Promise.all(processes.map(({ keys }) => keys.rotate({ revoke: true })))
      for (const { header } of processes) {
        const fresh = await header()
        for (const { authenticate } of processes) await authenticate(fresh)
      }
    })
  }),
)
