/** Basic credentials: which headers are read, what is refused and as what, and what a header seen before costs. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { ensureRoot, type RootKey } from '#iam/access-keys.ts'
import { BasicCredentials, type BasicCredentialsParts } from '#iam/basic.ts'
import { Credentials } from '#iam/credentials.ts'
import { createKeySignIn } from '#iam/key-sign-in.ts'
import { type Principal, rootPrincipal } from '#iam/principal.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { TokenKeys } from '#iam/token-keys.ts'
import { Tokens } from '#iam/tokens.ts'
import type { Refusal } from '#lib/refusal.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { sqliteUrl } from '#test/support/databases.ts'

const sender = { ip: '127.0.0.1' }

const account = parseAccountId('000000000000')
const key = { accessKeyId: 'AKIAFIRSTFIRSTFIRST1', secretAccessKey: 'the-secret-of-the-first' }
const root = rootPrincipal(account, { accessKeyId: key.accessKeyId, accessKeySince: 0 })

let now = 0
let basic: BasicCredentials
let makeBasic: (accessKeys?: BasicCredentialsParts['accessKeys']) => BasicCredentials
let credentials: Credentials
let ensure: (given: RootKey) => Promise<unknown>
let issue: (principal: Principal) => Promise<string>
let token: string

before(async () => {
  const clock = () => now
  const metadata = await openMetadata(await sqliteUrl(), assert.fail)
  const box = createSecretBox(Buffer.alloc(32, 1))
  const keys = new TokenKeys({ metadata, clock, box })
  const tokens = new Tokens({ keys, clock })
  credentials = new Credentials({ metadata, box })
  makeBasic = (accessKeys) => new BasicCredentials({ tokens, keys, credentials, clock, accessKeys })
  basic = makeBasic()
  ensure = (given) => ensureRoot({ metadata, clock, box }, account, given)
  await ensure(key)
  issue = async (principal) =>
    `Basic ${(await tokens.issue(principal, { account, region: parseRegion('us-east-1') })).authorizationToken}`
  token = (await tokens.issue(root, { account: root.account, region: parseRegion('us-east-1') })).authorizationToken
})

const encode = (text: string) => Buffer.from(text).toString('base64')
const refuses = (header: string | undefined, code: string, facts: object = {}) =>
  assert.rejects(basic.authenticate(header, sender), (error: Refusal) => {
    assert.deepEqual({ code: error.code, facts: error.facts }, { code, facts })
    return true
  })

describe('basic credentials', () => {
  test('a token as ECR gives it is a header’s credentials as it is', async () => {
    const { principal, region } = await basic.authenticate(`Basic ${token}`, sender)
    assert.deepEqual(principal, root)
    assert.equal(region, 'us-east-1')
  })

  test('the name of the scheme is read in any case', async () => {
    for (const scheme of ['basic', 'BASIC', 'Basic ']) await basic.authenticate(`${scheme} ${token}`, sender)
  })

  test('a header seen before gives the very same answer', async () => {
    const first = await basic.authenticate(`Basic ${token}`, sender)
    assert.equal(await basic.authenticate(`Basic ${token}`, sender), first)
  })

  test('no header is a refusal of its own', () => refuses(undefined, 'CredentialsMissing'))

  test('another scheme, broken base64 and another user are told apart', async () => {
    await refuses('', 'CredentialsInvalid', { problem: 'scheme' })
    await refuses(`Bearer ${token}`, 'CredentialsInvalid', { problem: 'scheme' })
    await refuses('Basic', 'CredentialsInvalid', { problem: 'scheme' })
    await refuses('Basic ', 'CredentialsInvalid', { problem: 'encoding' })
    await refuses('Basic ?', 'CredentialsInvalid', { problem: 'encoding' })
    await refuses(`Basic ${encode('AWS')}`, 'CredentialsInvalid', { problem: 'encoding' })
    const password = Buffer.from(token, 'base64').toString().slice('AWS:'.length)
    await refuses(`Basic ${encode(`aws:${password}`)}`, 'CredentialsInvalid', { problem: 'user' })
    await refuses(`Basic ${encode(`:${password}`)}`, 'CredentialsInvalid', { problem: 'user' })
  })

  test('a root access key is no password', () => refuses(`Basic ${encode('AWS:secret')}`, 'TokenMalformed'))

  test('a header seen before expires with its token', async (t) => {
    await basic.authenticate(`Basic ${token}`, sender)
    t.after(() => {
      now = 0
    })
    now = 43_200_000
    await refuses(`Basic ${token}`, 'TokenExpired', { expiresAt: 43_200_000 })
    await refuses(`Basic ${token}`, 'TokenExpired', { expiresAt: 43_200_000 })
  })
})

describe('an access key as user and password', () => {
  test('its use is recorded when it signs in and while it is used, and it is looked up again', async () => {
    const uses: unknown[] = []
    const clock = () => now
    const region = parseRegion('eu-west-1')
    const accepting = makeBasic({
      signIn: createKeySignIn({ credentials, clock }),
      uses: { record: (id, use) => uses.push([id, use]) },
      region,
    })
    const own = { accessKeyId: 'AKIAPASSWORD', secretAccessKey: 'a-secret-that-is-a-password' }
    await ensure(own)
    const header = `Basic ${encode(`${own.accessKeyId}:${own.secretAccessKey}`)}`
    const first = await accepting.authenticate(header, sender)
    assert.deepEqual([first.kind, first.account, first.region], ['access key', account, region])
    assert.equal(await accepting.authenticate(header, sender), first)
    now += 3_000
    await accepting.authenticate(header, sender)
    const use = [own.accessKeyId, { service: 'ecr', region }]
    assert.deepEqual(uses, [use, use])
    await accepting.authenticate(await issue(first.principal), sender)
    assert.equal(uses.length, 2)

    await ensure({ ...own, secretAccessKey: 'another-secret-under-that-id' })
    now += 3_000
    const refusal = { code: 'AccessKeyInvalid', facts: { temporary: false } }
    await assert.rejects(accepting.authenticate(header, sender), refusal)
  })
})

describe('a token of an access key', () => {
  const given = { accessKeyId: 'AKIAGIVENGIVENGIVEN1', secretAccessKey: 'first-secret-of-the-root' }
  const principalOf = async (id: string) => (await credentials.find(id))?.principal ?? assert.fail(`${id} is no key`)

  test('ends within ten seconds of the key being replaced, and not by giving the same key again', async () => {
    await ensure(given)
    const header = await issue(await principalOf(given.accessKeyId))
    await basic.authenticate(header, sender)
    await ensure(given)
    now += 10_000
    await basic.authenticate(header, sender)

    await ensure({ ...given, accessKeyId: 'AKIAGIVENGIVENGIVEN2' })
    now += 10_000
    await refuses(header, 'TokenMalformed')
  })

  test('ends when the key keeps its id and gets another secret', async () => {
    await ensure(given)
    const header = await issue(await principalOf(given.accessKeyId))
    await basic.authenticate(header, sender)
    await ensure({ ...given, secretAccessKey: 'second-secret-of-the-root' })
    now += 10_000
    await refuses(header, 'TokenMalformed')
    await basic.authenticate(await issue(await principalOf(given.accessKeyId)), sender)
  })
})
