/** A repository that a template creates: its policies come with it or not at all, and nobody creates one who may not. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ecrQuotas } from '#config/quotas.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { rootPrefix } from '#names/repository-prefix.ts'
import type { Announcements } from '#registry/announcements.ts'
import { pushCreating } from '#registry/create-on-push.ts'
import { type CreationTemplate, createCreationTemplates } from '#registry/creation-templates.ts'
import { createRepositories } from '#registry/repositories.ts'
import { getRepository } from '#registry/repository.ts'
import { eachDatabase } from '#test/support/databases.ts'

const key = {
  registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
  name: parseRepositoryName('team/app'),
}
const clock = () => 1_000
const seen = (template: CreationTemplate | undefined) => ({ prefix: rootPrefix, template })
const notFound = { code: 'RepositoryNotFound' }

eachDatabase(({ dialect, open }) => {
  describe(`create on push (${dialect})`, () => {
    async function prepare(t: TestContext, ...repositoryCreated: Announcements['repositoryCreated'][number][]) {
      const metadata = await open(t)
      const repositories = createRepositories({ metadata, clock, quotas: ecrQuotas, repositoryCreated })
      const templates = createCreationTemplates({
        metadata,
        clock,
        quotas: ecrQuotas,
        documents: { repositoryPolicy: () => {}, lifecyclePolicy: () => {} },
      })
      return { metadata, repositories, templates }
    }

    async function policies({ reader }: Metadata) {
      const rows = await reader.selectFrom('repository_policy').selectAll().execute()
      return rows.map(({ repository_id, document }) => [repository_id, document])
    }

    test('a template that changed since it was seen is neither updated nor deleted', async (t) => {
      const { templates } = await prepare(t)
      const { registry } = key
      const find = async () => (await templates.findAll(registry, [rootPrefix]))[0]
      const first = await templates.create(registry, rootPrefix, { appliedFor: ['CREATE_ON_PUSH'] })
      const gained = await templates.update(registry, { repositoryPolicy: '{"a":1}' }, seen(first))
      assert.equal(gained?.repositoryPolicy, '{"a":1}')
      for (const stale of [seen(first), seen(undefined)]) {
        assert.equal(await templates.update(registry, { repositoryPolicy: '' }, stale), undefined)
        assert.equal(await templates.delete(registry, stale), undefined)
      }
      assert.deepEqual(await find(), gained)
      assert.deepEqual(await templates.delete(registry, seen(gained)), gained)
      await assert.rejects(templates.delete(registry, seen(gained)), { code: 'TemplateNotFound' })
    })

    test('the policies of the template come with the repository, the one of the repository as its policy', async (t) => {
      const told: unknown[] = []
      const { metadata, repositories, templates } = await prepare(t, async (_, { repository, lifecyclePolicy }) => {
        told.push([repository.name, lifecyclePolicy])
      })
      await templates.create(key.registry, rootPrefix, {
        appliedFor: ['CREATE_ON_PUSH'],
        repositoryPolicy: '{"a":1}',
        lifecyclePolicy: '{"rules":[]}',
      })
      assert.ok(await repositories.createFromTemplate(key, 'CREATE_ON_PUSH'))
      const { id } = await getRepository(metadata.reader, key)
      assert.deepEqual(await policies(metadata), [[id, '{"a":1}']])
      assert.deepEqual(told, [[key.name, '{"rules":[]}']])

      assert.ok(await repositories.createFromTemplate(key, 'CREATE_ON_PUSH'), 'it is there')
      const byHand = { ...key, name: parseRepositoryName('by/hand') }
      await repositories.create(byHand, {})
      assert.deepEqual(told, [
        [key.name, '{"rules":[]}'],
        [byHand.name, undefined],
      ])
      assert.equal((await policies(metadata)).length, 1)
    })

    test('a listener that fails undoes the creation', async (t) => {
      const { metadata, repositories, templates } = await prepare(t, async () => {
        throw new Error('the listener failed')
      })
      await templates.create(key.registry, rootPrefix, { appliedFor: ['CREATE_ON_PUSH'], repositoryPolicy: '{"a":1}' })
      await assert.rejects(repositories.createFromTemplate(key, 'CREATE_ON_PUSH'), /the listener failed/)
      await assert.rejects(repositories.create(key, {}), /the listener failed/)
      await assert.rejects(getRepository(metadata.reader, key), notFound)
      assert.deepEqual(await policies(metadata), [])
    })

    test('creations from one template at once make one repository, and each succeeds', async (t) => {
      const { metadata, repositories, templates } = await prepare(t)
      await templates.create(key.registry, rootPrefix, { appliedFor: ['CREATE_ON_PUSH'], repositoryPolicy: '{"a":1}' })
      const made = Array.from({ length: 8 }, () => repositories.createFromTemplate(key, 'CREATE_ON_PUSH'))
      assert.deepEqual(new Set(await Promise.all(made)), new Set([true]))
      assert.equal((await policies(metadata)).length, 1)
    })

    test('whoever may not create gets the refusal of the push, and there is no repository', async (t) => {
      const { metadata, repositories, templates } = await prepare(t)
      const push = () => getRepository(metadata.reader, key)
      const pushing = (mayCreate: boolean, repeatable = true) =>
        pushCreating(repositories, { key, mayCreate: async () => mayCreate, repeatable: () => repeatable }, push)
      await assert.rejects(pushing(true), notFound)
      await templates.create(key.registry, rootPrefix, { appliedFor: ['CREATE_ON_PUSH'] })
      await assert.rejects(pushing(false), notFound)
      await assert.rejects(pushing(true, false), notFound)
      await assert.rejects(push(), notFound)
      assert.equal((await pushing(true)).name, key.name)
    })

    test('a push to a repository that is there asks for no permission to create it', async (t) => {
      const { metadata, repositories } = await prepare(t)
      await repositories.create(key, {})
      const mayCreate = () => assert.fail('nobody asks')
      await pushCreating(repositories, { key, mayCreate }, () => getRepository(metadata.reader, key))
      const other = new Error('of another kind')
      await assert.rejects(
        pushCreating(repositories, { key, mayCreate }, () => Promise.reject(other)),
        other,
      )
    })
  })
})
