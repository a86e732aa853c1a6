/** Rules for listed hosts, rules of a deployment that allows no upstream, and the settings of a rule. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ecrQuotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryPrefix } from '#names/repository-prefix.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { createCacheRules } from '#upstream/cache-rules.ts'
import { defaultRuleSettings } from '#upstream/rule-settings.ts'
import type { UpstreamHosts } from '#upstream/upstreams.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }
const prefix = parseRepositoryPrefix('cache')
const unlisted: UpstreamHosts = { areForbidden: false, isListed: () => false, ownRegistryAt: () => undefined }
const upstreamUrl = 'mirror.example:5000'
const credentialArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:ecr-pullthroughcache/mirror-AbCdEf'

const findSecretValue = async () => ({ username: 'user', accessToken: 'token' })

eachDatabase((databases) =>
  describe(`pull through cache rules (${databases.dialect})`, () => {
    async function open(t: TestContext) {
      const metadata = await databases.open(t, await databases.url())
      let now = 1_000
      const clock = () => now++
      return (hosts: Partial<UpstreamHosts>) =>
        createCacheRules({ metadata, clock, quotas: ecrQuotas, hosts: { ...unlisted, ...hosts }, findSecretValue })
    }
    const listing = (...hosts: string[]) => ({ isListed: (host: string) => hosts.includes(host) })

    test('a listed host is an upstream without a kind, with credentials or without', async (t) => {
      const rules = (await open(t))(listing(upstreamUrl))
      const made = await rules.create(registry, { prefix, upstreamUrl })
      assert.deepEqual([made.upstream, made.upstreamUrl, made.credentialArn], [undefined, upstreamUrl, undefined])
      assert.deepEqual(await rules.get(registry, prefix), made)
      assert.equal((await rules.update(registry, prefix, { credentialArn })).credentialArn, credentialArn)
      await assert.rejects(
        rules.update(registry, prefix, { credentialArn: credentialArn.replace('us-east-1', 'eu-west-1') }),
        { code: 'CredentialElsewhere' },
      )
      assert.equal((await rules.delete(registry, prefix)).upstream, undefined)
    })

    test('a kind that was named for a listed host is refused, and so is a host that is not listed', async (t) => {
      const rules = (await open(t))(listing(upstreamUrl))
      await assert.rejects(rules.create(registry, { prefix, upstreamUrl, upstream: 'docker-hub' }), {
        code: 'UpstreamKindMismatch',
        facts: { upstream: 'other' },
      })
      for (const other of ['mirror.example', `https://${upstreamUrl}`, `${upstreamUrl}/v2`]) {
        await assert.rejects(rules.create(registry, { prefix, upstreamUrl: other }), { code: 'UpstreamUnsupported' })
      }
    })

    test('Docker Hub needs no secret while it is listed, and keeps its kind', async (t) => {
      const upstreamUrl = 'registry-1.docker.io'
      const withHosts = await open(t)
      const listed = withHosts(listing(upstreamUrl))
      assert.equal(
        (await listed.create(registry, { prefix, upstreamUrl, upstream: 'docker-hub' })).upstream,
        'docker-hub',
      )
      const withoutSecret = withHosts({}).create(registry, { prefix: parseRepositoryPrefix('other'), upstreamUrl })
      await assert.rejects(withoutSecret, { code: 'CredentialMissing' })
    })

    test('a deployment that allows no upstream makes no rule, and keeps those that it has', async (t) => {
      const withHosts = await open(t)
      const made = await withHosts({}).create(registry, { prefix, upstreamUrl: 'quay.io' })
      const rules = withHosts({ areForbidden: true })
      const another = rules.create(registry, { prefix: parseRepositoryPrefix('other'), upstreamUrl: 'quay.io' })
      await assert.rejects(another, { code: 'UpstreamsForbidden' })
      assert.deepEqual((await rules.list(registry, { limit: 10 })).items, [made])
      await rules.update(registry, prefix, { credentialArn })
      await rules.delete(registry, prefix)
    })

    test('a rule begins with the usual settings, and a change leaves what it does not name', async (t) => {
      const rules = (await open(t))({})
      const made = await rules.create(registry, { prefix, upstreamUrl: 'quay.io' })
      assert.deepEqual(made.settings, defaultRuleSettings)
      await rules.changeSettings(registry, prefix, { maxAgeMs: 'never' })
      await rules.changeSettings(registry, prefix, { maxBytes: 10 * 2 ** 30 })
      const changed = await rules.get(registry, prefix)
      assert.deepEqual(changed.settings, { maxAgeMs: 'never', maxBytes: 10 * 2 ** 30 })
      assert.equal(changed.updatedAt, made.updatedAt)
      const { settings } = await rules.changeSettings(registry, prefix, { maxAgeMs: 0, maxBytes: 'unlimited' })
      assert.deepEqual(settings, { maxAgeMs: 0, maxBytes: 'unlimited' })
      await assert.rejects(rules.changeSettings(registry, parseRepositoryPrefix('none'), {}), {
        code: 'CacheRuleNotFound',
      })
    })
  }),
)
