import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { ensureAccount } from '#iam/accounts.ts'
import { createOidcProviders } from '#iam/federation/oidc-providers.ts'
import { createProviderKeys } from '#iam/federation/provider-keys.ts'
import { createWebIdentities } from '#iam/federation/web-identity.ts'
import { createFetch } from '#lib/fetch.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { type Databases, eachDatabaseInCi } from '#test/support/databases.ts'
import { configurationPath, keysPath, sendJson, startOidcIssuer } from '#test/support/oidc-issuer.ts'

const account = parseAccountId('111111111111')
const other = parseAccountId('222222222222')

interface WorldOptions {
  readonly privateHosts?: boolean
  readonly deadlineMs?: number
}

async function world(t: TestContext, databases: Databases, options: WorldOptions = {}) {
  const metadata = await databases.open(t)
  for (const each of [account, other]) await metadata.transaction((trx) => ensureAccount(trx, each, 0))
  const issuer = await startOidcIssuer()
  t.after(() => issuer[Symbol.asyncDispose]())
  const time = { now: Date.now() }
  const clock = () => time.now
  const { reader } = metadata
  const providers = createOidcProviders({ reader, change: metadata.transaction.bind(metadata), clock })
  const provider = await providers.create(account, {
    ...{ url: issuer.url, clientIds: ['a-client', 'b-client'], thumbprints: [], tags: [] },
  })
  const reasons: string[] = []
  const keys = createProviderKeys({
    ...{ fetch: createFetch({ certificates: [selfSigned.cert] }), clock, privateHosts: true, ...options },
    onUnreachable: (_issuer, reason) => reasons.push(reason),
  })
  const identities = createWebIdentities({ reader, keys, clock })
  return {
    issuer,
    time,
    providers,
    provider,
    reasons,
    verify: (token: string, where = account) => identities.verify(where, token),
    token: (claims = {}, alg = 'RS256') => issuer.token(claims, { now: time.now, alg }),
  }
}

const invalid = (problem: string) => refused('WebIdentityInvalid', { problem })

function refused(code: string, facts: object = {}) {
  return (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, code)
    assert.partialDeepStrictEqual(error.facts, facts)
    return true
  }
}

eachDatabaseInCi((databases) => {
  describe(`web identities, ${databases.dialect}`, () => {
    test('a token of a provider of the account says who somebody is', async (t) => {
      const { verify, token, provider } = await world(t, databases)
      const { url, arn } = provider
      for (const alg of ['RS256', 'ES256']) {
        const { facts, ...identity } = await verify(await token({ amr: ['pwd'], email: 'a@b.example' }, alg))
        assert.deepEqual(identity, { provider, subject: 'someone', audience: 'a-client' })
        assert.deepEqual(facts, {
          [`${url}:sub`]: 'someone',
          [`${url}:aud`]: ['a-client'],
          [`${url}:amr`]: ['pwd'],
          [`${url}:email`]: 'a@b.example',
        })
      }
      assert.equal(arn, `arn:aws:iam::${account}:oidc-provider/${url}`)
    })

    test('the party that a token was issued to stands above those that it is meant for', async (t) => {
      const { verify, token, provider } = await world(t, databases)
      const { facts } = await verify(await token({ azp: 'b-client', aud: ['x', 'y'] }))
      assert.deepEqual(facts[`${provider.url}:aud`], ['b-client'])
      assert.deepEqual(facts[`${provider.url}:oaud`], ['x', 'y'])
      await assert.rejects(verify(await token({ azp: 'x', aud: 'a-client' })), invalid('audience'))
    })

    test('a token is believed by the account that has its provider alone', async (t) => {
      const { verify, token, issuer } = await world(t, databases)
      await assert.rejects(verify(await token(), other), refused('WebIdentityInvalid', { problem: 'provider' }))
      await assert.rejects(verify(await token({ iss: 'https://elsewhere.example' })), invalid('provider'))
      await assert.rejects(verify(await token({ iss: `${issuer.url}/` })), invalid('provider'))
      assert.deepEqual(issuer.requests, [])
    })

    test('what no provider signed is not believed', async (t) => {
      const { verify, token, issuer, time } = await world(t, databases)
      const good = await token()
      const [head, body, signature = ''] = good.split('.')
      const forged = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
      await assert.rejects(verify(`${head}.${body}.${forged}`), invalid('signature'))
      await assert.rejects(verify(`${head}.${body}.`), (error) => error instanceof Refusal)
      const claims = { iss: issuer.url, sub: 'root', aud: 'a-client', exp: Math.floor(time.now / 1000) + 60 }
      await assert.rejects(verify(new UnsecuredJWT(claims).encode()), (error) => error instanceof Refusal)
      const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(64))
      await assert.rejects(verify(hmac), invalid('algorithm'))
      for (const text of ['', 'x', 'a.b.c', `${head}.${body}`]) {
        await assert.rejects(verify(text), (error) => error instanceof Refusal)
      }
      await verify(good)
    })

    test('a token is good from its beginning to its end, give or take half a minute', async (t) => {
      const { verify, token, time } = await world(t, databases)
      time.now = Math.floor(time.now / 1000) * 1000
      const good = await token()
      time.now += 329_000
      await verify(good)
      time.now += 2_000
      await assert.rejects(verify(good), refused('WebIdentityExpired', { now: time.now }))
      await assert.rejects(verify(await token({ nbf: time.now / 1000 + 60 })), invalid('not yet'))
      await assert.rejects(verify(await token({ exp: undefined })), invalid('token'))
      await assert.rejects(verify(await token({ sub: undefined })), invalid('subject'))
      await assert.rejects(verify(await token({ sub: '' })), invalid('subject'))
      await assert.rejects(verify(await token({ sub: 'a'.repeat(256) })), invalid('subject'))
      await assert.rejects(verify(await token({ aud: undefined })), invalid('audience'))
      await assert.rejects(verify(await token({ aud: 'c-client' })), invalid('audience'))
    })

    test('a provider that takes a new key is asked again, and not more often than each half minute', async (t) => {
      const { verify, token, issuer, time } = await world(t, databases)
      const asked = () => issuer.requests.filter((path) => path === keysPath).length
      await Promise.all([verify(await token()), verify(await token())])
      assert.equal(asked(), 1, 'those who wait share an answer')
      await issuer.rotate()
      const fresh = await token()
      for (let call = 0; call < 3; call++) await assert.rejects(verify(fresh), invalid('keys'))
      assert.equal(asked(), 1)
      time.now += 30_000
      await Promise.all([verify(fresh), verify(fresh), verify(fresh)])
      assert.equal(asked(), 2)
      time.now += 60_000
      await verify(fresh)
      assert.equal(asked(), 2)
    })

    test('a key that is withdrawn is good for ten minutes at most', async (t) => {
      const { verify, token, issuer, time } = await world(t, databases)
      const old = await token({ exp: Math.floor(time.now / 1000) + 3_600 })
      await verify(old)
      await issuer.rotate()
      time.now += 599_000
      await verify(old)
      time.now += 1_000
      await assert.rejects(verify(old), invalid('keys'))
    })

    test('a provider that fails is refused in one way, after one time, and asked again after half a minute', async (t) => {
      const deadlineMs = 800
      const { verify, token, issuer, time, reasons } = await world(t, databases, { deadlineMs })
      const { url } = issuer
      const configure = (configuration: object) =>
        issuer.answer(configurationPath, (response) => sendJson(response, configuration))
      const bad: Readonly<Record<string, () => void>> = {
        status: () => issuer.answer(configurationPath, (response) => response.writeHead(500).end()),
        'no answer': () => issuer.answer(configurationPath, (response) => response.destroy()),
        'no answer within': () => issuer.answer(configurationPath, () => undefined),
        'no JSON': () => issuer.answer(configurationPath, (response) => response.end('<html>')),
        'another name': () => configure({ issuer: 'https://x.example' }),
        'no address': () => configure({ issuer: url }),
        // Another port of an internal host is another host.
        'may not be reached': () => configure({ issuer: url, jwks_uri: 'https://127.0.0.1:1/keys' }),
        'no set of keys': () => {
          issuer.answer(configurationPath, undefined)
          issuer.answer(keysPath, (response) => sendJson(response, { keys: 7 }))
        },
      }
      for (const [reason, arrange] of Object.entries(bad)) {
        arrange()
        time.now += 30_000
        const before = issuer.requests.length
        const startedAt = performance.now()
        await assert.rejects(verify(await token()), (error) => {
          assert.ok(error instanceof Refusal)
          assert.deepEqual([error.code, error.facts], ['ProviderUnreachable', { issuer: url }])
          return true
        })
        assert.ok(performance.now() - startedAt >= deadlineMs - 1, reason)
        assert.match(reasons.at(-1) ?? '', new RegExp(reason))
        const after = issuer.requests.length
        assert.ok(after > before)
        await assert.rejects(verify(await token()), refused('ProviderUnreachable'))
        assert.equal(issuer.requests.length, after)
      }
      assert.equal(reasons.length, Object.keys(bad).length)
      issuer.answer(keysPath, undefined)
      time.now += 30_000
      await verify(await token())
    })

    test('where private hosts are forbidden, a provider with a private address is not asked', async (t) => {
      const options = { privateHosts: false, deadlineMs: 100 }
      const { verify, token, issuer, reasons } = await world(t, databases, options)
      await assert.rejects(verify(await token()), refused('ProviderUnreachable'))
      assert.match(String(reasons), /its address may not be reached/)
      assert.deepEqual(issuer.requests, [])
    })
  })

  describe(`identity providers, ${databases.dialect}`, () => {
    test('a URL is of HTTPS, without query, fragment and user', async (t) => {
      const { providers } = await world(t, databases)
      const common = { clientIds: [], thumbprints: [], tags: [] }
      for (const url of [
        'http://a.example',
        'https://a.example?x',
        'https://a.example#x',
        'https://u@a.example',
        'x',
        'https://',
      ]) {
        await assert.rejects(providers.create(account, { url, ...common }), refused('ProviderUrlInvalid', { url }))
      }
      const { arn } = await providers.create(account, { url: 'https://a.example/id/X', ...common })
      assert.equal(arn, `arn:aws:iam::${account}:oidc-provider/a.example/id/X`)
    })

    test('is changed and deleted by its account alone', async (t) => {
      const { providers, provider } = await world(t, databases)
      const { arn, url } = provider
      await providers.addClientId(account, arn, 'c-client')
      await providers.addClientId(account, arn, 'c-client')
      await providers.removeClientId(account, arn, 'a-client')
      await providers.putThumbprints(account, arn, ['ab'.repeat(20)])
      await providers.addTags(account, arn, [{ key: 'Team', value: 'x' }])
      await providers.addTags(account, arn, [{ key: 'team', value: 'y' }])
      assert.deepEqual(await providers.get(account, arn), {
        ...provider,
        clientIds: ['b-client', 'c-client'],
        thumbprints: ['ab'.repeat(20)],
        tags: { team: 'y' },
      })
      await providers.removeTags(account, arn, ['TEAM'])
      assert.deepEqual((await providers.get(account, arn)).tags, {})
      await assert.rejects(providers.get(other, arn), refused('EntityNotFound'))
      await assert.rejects(providers.addClientId(other, arn, 'x'), refused('EntityNotFound'))
      await providers.delete(other, arn)
      assert.deepEqual((await providers.list(account)).length, 1)
      const again = { url: `https://${url}`, clientIds: [], thumbprints: [], tags: [] }
      await assert.rejects(providers.create(account, again), refused('EntityExists'))
      await providers.delete(account, arn)
      assert.deepEqual(await providers.list(account), [])
    })

    test('has at most a hundred clients and five thumbprints', async (t) => {
      const { providers, provider } = await world(t, databases)
      for (let client = 2; client < 100; client++) await providers.addClientId(account, provider.arn, `c${client}`)
      await assert.rejects(
        providers.addClientId(account, provider.arn, 'one-too-many'),
        refused('EntityQuotaExceeded', { quota: 'client ids', limit: 100 }),
      )
      await assert.rejects(
        providers.putThumbprints(
          account,
          provider.arn,
          Array.from({ length: 6 }, (_, i) => `${i}`.repeat(40)),
        ),
        refused('ThumbprintsTooMany', { limit: 5 }),
      )
    })
  })
})
