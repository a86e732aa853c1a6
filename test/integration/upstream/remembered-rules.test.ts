/** The rules that requests look up: remembered, and never older than the store or two seconds. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ecrQuotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryPrefix } from '#names/repository-prefix.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { createCacheRules } from '#upstream/cache-rules.ts'
import { createRememberedRules } from '#upstream/remembered-rules.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }
const hosts = { areForbidden: false, isListed: () => false, ownRegistryAt: () => undefined }
const other = { ...registry, region: parseRegion('eu-west-1') }

const findSecretValue = async () => ({ failure: 'not found' as const })

eachDatabase((databases) => {
  describe(`remembered rules, over ${databases.dialect}`, () => {
    test('a rule counts at once on SQLite and within two seconds on PostgreSQL, in its registry alone', async (t) => {
      const url = await databases.url()
      const metadata = await databases.open(t, url)
      const elsewhere = await databases.open(t, url)
      let now = 1_000_000
      const clock = () => now
      const remembered = createRememberedRules({ metadata, clock })
      const prefixes = async (of = registry) => {
        // SQLite is asked for its version once in each turn of the event loop.
        await setImmediate()
        return (await remembered.find(of)).map(({ prefix }) => prefix)
      }
      const rules = createCacheRules({ metadata: elsewhere, clock, quotas: ecrQuotas, hosts, findSecretValue })
      const add = (prefix: string) =>
        rules.create(registry, { prefix: parseRepositoryPrefix(prefix), upstreamUrl: 'quay.io' })

      assert.deepEqual(await prefixes(), [])
      await add('quay')
      if (databases.dialect === 'postgres') {
        now += 1_999
        assert.deepEqual(await prefixes(), [])
        now += 1
      }
      assert.deepEqual(await prefixes(), ['quay'])
      assert.ok(Array.isArray(remembered.find(registry)), 'what is remembered is there at once')
      assert.deepEqual(await prefixes(other), [])

      await rules.delete(registry, parseRepositoryPrefix('quay'))
      await add('bb')
      await add('aa')
      now += 2_000
      assert.deepEqual(await Promise.all([prefixes(), prefixes()]), [
        ['aa', 'bb'],
        ['aa', 'bb'],
      ])
    })
  })
})
