/** Authorization tokens: what they say of their bearer, and that no other text says it. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { rootPrincipal } from '#iam/principal.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { TokenKeys } from '#iam/token-keys.ts'
import { isSealed, readToken, sealToken } from '#iam/token-seal.ts'
import { Tokens } from '#iam/tokens.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { sqliteUrl } from '#test/support/databases.ts'

const region = parseRegion('eu-central-1')
const account = parseAccountId('123456789012')
const key = { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', accessKeySince: 1 }
const root = rootPrincipal(account, key)
const box = createSecretBox(Buffer.alloc(32, 1))
const refusedAs = (code: string) => (error: Refusal) => error.code === code

let now = Date.parse('2026-03-01T12:00:00.750Z')
const clock = () => now
let metadata: Metadata
let tokens: Tokens

before(async () => {
  metadata = await openMetadata(await sqliteUrl(), assert.fail)
  tokens = new Tokens({ keys: new TokenKeys({ metadata, clock, box }), clock })
})

async function issuePassword(principal = root): Promise<string> {
  const { authorizationToken } = await tokens.issue(principal, { account, region })
  const credentials = Buffer.from(authorizationToken, 'base64').toString()
  assert.ok(credentials.startsWith('AWS:'))
  return credentials.slice('AWS:'.length)
}

function envelopeOf(password: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(password, 'base64').toString())
}

const passwordOf = (envelope: object) => Buffer.from(JSON.stringify(envelope)).toString('base64')

describe('authorization tokens', () => {
  test('a token gives back its principal, account, region and expiry', async () => {
    const { keyId, ...verified } = await tokens.verify(await issuePassword())
    const expiresAt = Date.parse('2026-03-02T00:00:00Z')
    assert.deepEqual(verified, { principalArn: root.arn, ...key, account, region, expiresAt })
    assert.equal((await tokens.issue(root, { account, region })).expiresAt, expiresAt)
  })

  test('a token for a registry of another account opens that one, for the same principal', async () => {
    const other = parseAccountId('999999999999')
    const { authorizationToken } = await tokens.issue(root, { account: other, region })
    const [, password = ''] = Buffer.from(authorizationToken, 'base64').toString().split(':', 2)
    const verified = await tokens.verify(password)
    assert.equal(verified.account, other)
    assert.equal(verified.principalArn, root.arn)
  })

  test('the password has the fields of ECR’s envelope, one line, and less than 4 kB', async () => {
    const arn = `arn:aws:sts::123456789012:assumed-role/${'r'.repeat(64)}/${'s'.repeat(64)}`
    const password = await issuePassword({ ...root, arn, userId: 'A'.repeat(90) })
    assert.ok(password.length < 4_096)
    assert.match(password, /^[A-Za-z0-9+/]+={0,2}$/)
    const { payload, datakey, ...rest } = envelopeOf(password)
    assert.equal(typeof payload, 'string')
    assert.equal(typeof datakey, 'string')
    assert.deepEqual(rest, { version: '2', type: 'DATA_KEY', expiration: Date.parse('2026-03-02T00:00:00Z') / 1_000 })
  })

  test('a token is good until its twelve hours are over, and then expired', async (t) => {
    const password = await issuePassword()
    const start = now
    t.after(() => {
      now = start
    })
    now = Date.parse('2026-03-02T00:00:00Z') - 1
    await tokens.verify(password)
    now += 1
    await assert.rejects(tokens.verify(password), (error: Refusal) => {
      assert.equal(error.code, 'TokenExpired')
      assert.deepEqual(error.facts, { expiresAt: now })
      return true
    })
  })

  test('an envelope with a later expiration is refused, and stays so when the true one is over', async () => {
    const envelope = envelopeOf(await issuePassword())
    const forged = passwordOf({ ...envelope, expiration: Number(envelope.expiration) + 1 })
    await assert.rejects(tokens.verify(forged), refusedAs('TokenMalformed'))
  })

  test('claims changed under the same signature are refused', async () => {
    const envelope = envelopeOf(await issuePassword())
    const payload = Buffer.from(String(envelope.payload), 'base64').toString('latin1')
    assert.ok(payload.includes('123456789012'))
    const changed = Buffer.from(payload.replaceAll('123456789012', '210987654321'), 'latin1').toString('base64')
    await assert.rejects(tokens.verify(passwordOf({ ...envelope, payload: changed })), refusedAs('TokenMalformed'))
  })

  test('a token of another deployment is refused, also when it names a key of this one', async (t) => {
    const elsewhere = await openMetadata(await sqliteUrl(), assert.fail)
    t.after(() => elsewhere.close())
    const { authorizationToken } = await new Tokens({
      keys: new TokenKeys({ metadata: elsewhere, clock, box }),
      clock,
    }).issue(root, { account, region })
    const password = Buffer.from(authorizationToken, 'base64').toString().slice('AWS:'.length)
    assert.equal(envelopeOf(password).datakey, envelopeOf(await issuePassword()).datakey)
    await assert.rejects(tokens.verify(password), refusedAs('TokenMalformed'))
  })

  test('texts that are no tokens are refused', async () => {
    const envelope = envelopeOf(await issuePassword())
    const texts = [
      ...['', 'x', '====', 'bnVsbA==', passwordOf([]), passwordOf({}), 'A'.repeat(1_000_000)],
      passwordOf({ ...envelope, datakey: '__proto__' }),
      passwordOf({ ...envelope, datakey: 7 }),
      passwordOf({ ...envelope, payload: '' }),
      passwordOf({ ...envelope, more: 1 }),
    ]
    for (const text of texts) await assert.rejects(tokens.verify(text), refusedAs('TokenMalformed'))
  })

  test('a token cut short or lengthened is refused', async () => {
    const password = await issuePassword()
    await fc.assert(
      fc.asyncProperty(fc.nat(password.length - 1), async (length) => {
        await assert.rejects(tokens.verify(password.slice(0, length)), refusedAs('TokenMalformed'))
      }),
    )
    for (const more of ['=', 'A', '\n', ' ']) {
      await assert.rejects(tokens.verify(password + more), refusedAs('TokenMalformed'))
    }
  })

  test('a token with any one character changed is refused', async () => {
    const password = await issuePassword()
    const character = fc.oneof(
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(password.length - 1), character, async (at, replacement) => {
        fc.pre(password[at] !== replacement)
        const mutated = password.slice(0, at) + replacement + password.slice(at + 1)
        await assert.rejects(tokens.verify(mutated), refusedAs('TokenMalformed'))
      }),
      { numRuns: 1_000 },
    )
  })

  test('reading what was sealed gives the claims back, sealed by that key and no other', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 100 })
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.nat(),
        fc.nat(),
        fc.uniqueArray(secret, { minLength: 2, maxLength: 2, comparator: (a, b) => a.equals(b) }),
        (arn, userId, accessKeyId, accessKeySince, expiration, [mine = Buffer.of(), others = Buffer.of()]) => {
          const claims = {
            account,
            region,
            principalAccount: account,
            arn,
            userId,
            accessKeyId,
            accessKeySince,
            expiration,
          }
          const token = sealToken(claims, { id: 'k', secret: mine })
          assert.deepEqual(readToken(token), { keyId: 'k', claims })
          assert.ok(isSealed(token, claims, { id: 'k', secret: mine }))
          assert.ok(!isSealed(token, claims, { id: 'k', secret: others }))
        },
      ),
    )
  })
})
