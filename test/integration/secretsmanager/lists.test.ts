/** Lists of secrets: filters, order and pages, and how many secrets a registry may have. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ListSecretsRequest, paginateListSecrets } from '@aws-sdk/client-secrets-manager'
import { eachDatabase } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { startSecretsSession } from '#test/support/secrets-session.ts'

const prefix = 'ecr-pullthroughcache/'

eachDatabase(({ dialect, url }) => {
  describe(`lists of secrets by the SDK (${dialect})`, () => {
    test('secrets are filtered, ordered and paged, each once', async () => {
      let now = Date.now() - 60_000
      await using session = await startSecretsSession({ database: await url(), clock: () => now++ })
      const { secrets, client } = session
      const create = (name: string, Description?: string, tags: Record<string, string> = {}) => {
        const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
        return secrets.createSecret({ Name: `${prefix}${name}`, SecretString: name, Description, Tags })
      }
      await create('docker', 'The Docker Hub', { team: 'web' })
      await create('quay', 'Red Hat', { Team: 'web' })
      await create('github', 'the code host', { owner: 'ops' })
      const list = async (query: ListSecretsRequest) => {
        const { SecretList = [] } = await secrets.listSecrets(query)
        return SecretList.map(({ Name = '' }) => Name.slice(prefix.length))
      }
      const filter = (Key: 'name' | 'description' | 'tag-key' | 'tag-value' | 'all', ...Values: string[]) =>
        list({ Filters: [{ Key, Values }], SortBy: 'name' })
      assert.deepEqual(await list({}), ['github', 'quay', 'docker'])
      assert.deepEqual(await list({ SortOrder: 'asc' }), ['docker', 'quay', 'github'])
      assert.deepEqual(await list({ SortBy: 'name' }), ['docker', 'github', 'quay'])
      assert.deepEqual(await filter('name', `${prefix}d`, `${prefix}q`), ['docker', 'quay'])
      assert.deepEqual(await filter('name', 'docker'), [])
      assert.deepEqual(await filter('name', `!${prefix}d`), ['github', 'quay'])
      assert.deepEqual(await filter('description', 'THE'), ['docker', 'github'])
      assert.deepEqual(await filter('tag-key', 'team'), ['docker'])
      assert.deepEqual(await filter('tag-value', 'we'), ['docker', 'quay'])
      assert.deepEqual(await filter('all', 'HUB docker', 'ops'), ['docker', 'github'])
      const both = [
        { Key: 'description' as const, Values: ['the'] },
        { Key: 'tag-key' as const, Values: ['owner'] },
      ]
      assert.deepEqual(await list({ Filters: both }), ['github'])
      await secrets.putSecretValue({ SecretId: `${prefix}docker`, SecretString: 'changed' })
      assert.deepEqual(await list({ SortBy: 'last-changed-date' }), ['docker', 'github', 'quay'])
      await secrets.getSecretValue({ SecretId: `${prefix}quay` })
      assert.deepEqual((await list({ SortBy: 'last-accessed-date' }))[0], 'quay')

      for (const SortBy of ['name', 'created-date', 'last-accessed-date'] as const) {
        for (const SortOrder of ['asc', 'desc'] as const) {
          const paged: (string | undefined)[] = []
          for await (const page of paginateListSecrets({ client: secrets, pageSize: 2 }, { SortBy, SortOrder })) {
            paged.push(...(page.SecretList ?? []).map(({ Name = '' }) => Name.slice(prefix.length)))
          }
          assert.deepEqual(paged, await list({ SortBy, SortOrder }))
        }
      }
      const { NextToken } = await secrets.listSecrets({ MaxResults: 1 })
      const elsewhere = client({ region: 'eu-west-1' })
      assert.deepEqual((await elsewhere.listSecrets({})).SecretList, [])
      for (const call of [secrets.listSecrets({ NextToken, SortBy: 'name' }), elsewhere.listSecrets({ NextToken })]) {
        assert.equal((await refusalOf(call)).name, 'InvalidNextTokenException')
      }
    })

    test('a registry has as many secrets as its quota, however many callers create them at once', async () => {
      await using session = await startSecretsSession({
        database: await url(),
        environment: { LADING_QUOTAS: 'secrets=3' },
      })
      const { secrets, client, name } = session
      const ended = await Promise.allSettled(Array.from({ length: 6 }, () => secrets.createSecret({ Name: name() })))
      assert.equal(ended.filter(({ status }) => status === 'fulfilled').length, 3)
      assert.deepEqual(await refusalOf(secrets.createSecret({ Name: name() })), {
        name: 'LimitExceededException',
        message: 'The maximum number of secrets, 3, has been reached in the registry.',
        status: 400,
      })
      await client({ region: 'eu-west-1' }).createSecret({ Name: name() })
      const { SecretList = [] } = await secrets.listSecrets({})
      await secrets.deleteSecret({ SecretId: SecretList[0]?.ARN, ForceDeleteWithoutRecovery: true })
      await secrets.createSecret({ Name: name() })
    })
  })
})
