/** Which registries of one deployment accept copies, how repositories are created for them, and what becomes of a refusal. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import {
  contentOf,
  freshRegistry,
  linesOf,
  pushTo,
  type RegistryClient,
  replicateTo,
  settled,
  statusesOf,
} from '#test/support/replication.ts'
import type { Credentials } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

const other = '222222222222'
const name = 'team/app'
const hourMs = 60 * 60_000

/** A document that lets the source's account do these. */
function allow(principal: string, actions: readonly string[], resource?: string): string {
  const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action: actions }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ ...statement, ...(resource && { Resource: resource }) }],
  })
}

eachDatabase(({ dialect, url }) => {
  describe(`permissions of replication within a deployment (${dialect})`, () => {
    let session: EcrSession
    let credentials: Credentials
    let ahead = 0
    before(async () => {
      const clock = () => Date.now() + ahead
      session = await startEcrSession({
        database: await url(),
        clock,
        environment: { LADING_QUOTAS: 'images=3,tags=2' },
      })
      credentials = await session.server.addAccount(other)
    })
    after(() => session[Symbol.asyncDispose]())

    const own = () => freshRegistry(session)
    const foreign = () => freshRegistry(session, { account: other, credentials })
    const root = (account: string) => `arn:aws:iam::${account}:root`
    const arnOf = ({ region, registryId }: RegistryClient) => `arn:aws:ecr:${region}:${registryId}:repository/*`
    const clockOf = (registry: RegistryClient) =>
      Object.defineProperty(registry.ecr.config, 'systemClockOffset', { get: () => ahead, set: () => {} })

    test('another account is copied to only with its registry policy, which the hourly attempt finds', async () => {
      const [source, copy] = [own(), foreign()]
      clockOf(source)
      clockOf(copy)
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'policy' })
      await pushTo(source.ecr, name, app, 'v1')
      const failed = [`${copy.name}: FAILED AccessDeniedException`]
      assert.deepEqual(await settled(source.ecr, name, app.digest), failed)
      assert.equal(await contentOf(copy.ecr, name), undefined, 'no repository was created')
      await copy.ecr.putRegistryPolicy({
        policyText: allow(root(source.registryId), ['ecr:ReplicateImage', 'ecr:CreateRepository'], arnOf(copy)),
      })
      assert.deepEqual(await statusesOf(source.ecr, name, { imageTag: 'v1' }), failed)
      ahead += hourMs + 1_000
      await until(async () => (await statusesOf(source.ecr, name, { imageTag: 'v1' }))[0] === `${copy.name}: COMPLETE`)
      assert.deepEqual(await contentOf(copy.ecr, name), linesOf([app, 'v1']))
    })

    test('without the permission to create, only repositories that exist are copied to', async () => {
      const [source, copy] = [own(), foreign()]
      clockOf(source)
      clockOf(copy)
      await copy.ecr.putRegistryPolicy({
        policyText: allow(root(source.registryId), ['ecr:ReplicateImage'], arnOf(copy)),
      })
      await copy.ecr.createRepository({ repositoryName: name })
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'creation' })
      await pushTo(source.ecr, name, app)
      await pushTo(source.ecr, 'team/new', app)
      assert.deepEqual(await settled(source.ecr, name, app.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await settled(source.ecr, 'team/new', app.digest), [
        `${copy.name}: FAILED AccessDeniedException`,
      ])
      assert.equal(await contentOf(copy.ecr, 'team/new'), undefined)
    })

    test("a repository's own policy does not open it to copies, and a registry policy may deny those of its account", async () => {
      const [source, copy, second] = [own(), foreign(), own()]
      for (const registry of [source, copy, second]) clockOf(registry)
      await copy.ecr.createRepository({ repositoryName: name })
      await copy.ecr.setRepositoryPolicy({ repositoryName: name, policyText: allow('*', ['ecr:*']) })
      const statement = { Effect: 'Deny', Principal: '*', Action: ['ecr:ReplicateImage'], Resource: arnOf(second) }
      await second.ecr.putRegistryPolicy({
        policyText: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      })
      await replicateTo(source.ecr, [copy, second])
      const app = image({ seed: 'repository policy' })
      await pushTo(source.ecr, name, app)
      assert.deepEqual(
        new Set(await settled(source.ecr, name, app.digest)),
        new Set([copy, second].map((registry) => `${registry.name}: FAILED AccessDeniedException`)),
      )
      assert.deepEqual(await contentOf(copy.ecr, name), [])
      assert.equal(await contentOf(second.ecr, name), undefined)
    })

    test('an account that does not exist is refused', async () => {
      const source = own()
      clockOf(source)
      const copy = { ...source, registryId: '999999999999', region: 'eu-west-9', name: '999999999999/eu-west-9' }
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'nowhere' })
      await pushTo(source.ecr, name, app)
      assert.deepEqual(await settled(source.ecr, name, app.digest), [`${copy.name}: FAILED AccessDeniedException`])
    })

    test('a template for replication makes the repository, and one without the role that it needs is refused', async () => {
      const [source, copy] = [own(), own()]
      for (const registry of [source, copy]) clockOf(registry)
      const policy = allow(root(source.registryId), ['ecr:BatchGetImage'])
      const rules = [
        {
          ...{ rulePriority: 1, action: { type: 'expire' } },
          selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 9 },
        },
      ]
      await copy.ecr.createRepositoryCreationTemplate({
        ...{ prefix: 'team', appliedFor: ['REPLICATION'], imageTagMutability: 'IMMUTABLE' },
        ...{ repositoryPolicy: policy, lifecyclePolicy: JSON.stringify({ rules }) },
        ...{
          resourceTags: [{ Key: 'made', Value: 'by replication' }],
          customRoleArn: `${root(copy.registryId).replace('root', 'role/templates')}`,
        },
      })
      await copy.ecr.createRepositoryCreationTemplate({
        ...{ prefix: 'secret', appliedFor: ['REPLICATION'], encryptionConfiguration: { encryptionType: 'KMS' } },
      })
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'templates' })
      for (const each of [name, 'secret/app', 'plain']) await pushTo(source.ecr, each, app, 'v1')
      assert.deepEqual(await settled(source.ecr, name, app.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await settled(source.ecr, 'plain', app.digest), [`${copy.name}: COMPLETE`])
      assert.deepEqual(await settled(source.ecr, 'secret/app', app.digest), [
        `${copy.name}: FAILED RepositoryNotFoundException`,
      ])
      const { repositories = [] } = await copy.ecr.describeRepositories({ repositoryNames: [name, 'plain'] })
      assert.deepEqual(
        repositories.map(({ imageTagMutability }) => imageTagMutability),
        ['IMMUTABLE', 'MUTABLE'],
      )
      const stored = await copy.ecr.getRepositoryPolicy({ repositoryName: name })
      assert.deepEqual(JSON.parse(stored.policyText ?? ''), JSON.parse(policy))
      await copy.ecr.getLifecyclePolicy({ repositoryName: name })
      const { tags } = await copy.ecr.listTagsForResource({ resourceArn: repositories[0]?.repositoryArn })
      assert.deepEqual(tags, [{ Key: 'made', Value: 'by replication' }])
    })

    test('what exceeds a quota of the destination fails, and fails nothing else', async () => {
      const [source, copy] = [own(), own()]
      for (const registry of [source, copy]) clockOf(registry)
      const there = image({ seed: 'there' })
      await pushTo(copy.ecr, name, there, 'there')
      await replicateTo(source.ecr, [copy])
      const images = Array.from({ length: 3 }, (_, at) => image({ seed: `quota ${at}` }))
      await pushTo(source.ecr, 'other', images[0] ?? there, 'v1')
      for (const each of images) await pushTo(source.ecr, name, each)
      const statuses = await Promise.all(images.map((each) => settled(source.ecr, name, each.digest)))
      assert.deepEqual(
        statuses.flat().toSorted((a, b) => (a < b ? -1 : 1)),
        [`${copy.name}: COMPLETE`, `${copy.name}: COMPLETE`, `${copy.name}: FAILED LimitExceededException`],
      )
      assert.equal((await contentOf(copy.ecr, name))?.length, 3)
      assert.deepEqual(await settled(source.ecr, 'other', images[0]?.digest ?? ''), [`${copy.name}: COMPLETE`])
    })

    test('a rule that is removed ends what it asked for', async () => {
      const [source, copy] = [own(), foreign()]
      for (const registry of [source, copy]) clockOf(registry)
      await replicateTo(source.ecr, [copy])
      const app = image({ seed: 'removed rule' })
      await pushTo(source.ecr, name, app)
      assert.deepEqual(await settled(source.ecr, name, app.digest), [`${copy.name}: FAILED AccessDeniedException`])
      await replicateTo(source.ecr, [])
      ahead += hourMs + 1_000
      await until(async () => (await statusesOf(source.ecr, name, { imageDigest: app.digest })).length === 0)
    })
  })
})
