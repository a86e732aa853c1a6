/** Pulls through a rule for a registry of another account in the same deployment, with a role. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { type Image, image } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { type Deployment, type RegistryClient, startDeployment } from '#test/support/upstreams/deployment.ts'

const upstreamAccount = '222222222222'
const region = 'eu-west-1'
const roleName = 'cache-role'
const day = 24 * 3_600_000

const service = 'pullthroughcache.ecr.amazonaws.com'
const pullActions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchImportUpstreamImage']
const roleActions = ['ecr:GetAuthorizationToken', ...pullActions]

interface World extends AsyncDisposable {
  readonly deployment: Deployment
  readonly cache: RegistryClient
  readonly upstream: RegistryClient
  readonly app: Image
  readonly roleArn: string
  trust(statement: object): Promise<void>
  allowRole(actions: readonly string[]): Promise<void>
  /** Sets the policy of the upstream repository for the account of the cache. */
  open(actions: readonly string[], more?: object): Promise<void>
  pull(): ReturnType<RegistryClient['get']>
}

/** A role that may do all that it needs, and an upstream repository that lets in no caller yet. */
async function startWorld(database: string): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const deployment = stack.use(await startDeployment({ database }))
  const { account } = deployment.server
  const owner = { account: upstreamAccount, ...(await deployment.server.addAccount(upstreamAccount)) }
  const [cache, upstream] = [await deployment.registry(region), await deployment.registry(region, owner)]
  const app = image({ layers: [20_000] })
  await upstream.push('team/app', app, 'v1')
  const iam = deployment.iamOf()
  const trust = async (statement: object) => {
    const document = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', ...statement } }
    await iam.updateAssumeRolePolicy({ RoleName: roleName, PolicyDocument: JSON.stringify(document) })
  }
  const { Role } = await iam.createRole({
    RoleName: roleName,
    AssumeRolePolicyDocument: JSON.stringify({
      Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } },
    }),
  })
  const allowRole = async (actions: readonly string[]) => {
    const document = { Statement: { Effect: 'Allow', Action: actions, Resource: '*' } }
    const PolicyDocument = JSON.stringify(document)
    await iam.putRolePolicy({ RoleName: roleName, PolicyName: 'pull', PolicyDocument })
  }
  await allowRole(roleActions)
  const roleArn = Role?.Arn ?? ''
  await cache.ecr.createPullThroughCacheRule({
    ...{ ecrRepositoryPrefix: 'other', upstreamRegistryUrl: upstream.host, customRoleArn: roleArn },
  })
  const all = stack.move()
  return {
    ...{ deployment, cache, upstream, app, roleArn, trust, allowRole },
    async open(actions, more = {}) {
      const Statement = {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: actions,
        ...more,
      }
      const policyText = JSON.stringify({ Statement })
      await upstream.ecr.setRepositoryPolicy({ repositoryName: 'team/app', policyText })
      deployment.pass(60_000)
    },
    pull: () => cache.get('other/team/app/manifests/v1'),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function requireDenied(world: World, text: RegExp): Promise<void> {
  world.deployment.pass(60_000)
  const { error, message } = await world.pull()
  assert.equal(error, 'DENIED', message)
  assert.match(message, text)
  assert.ok(!message.includes(world.roleArn))
}

eachDatabaseInCi((databases) =>
  describe(`a cache of another account with a role, on ${databases.dialect}`, () => {
    test('a rule without a role, or with a role of another account, is refused', async () => {
      await using world = await startWorld(await databases.url())
      const { ecr } = world.cache
      const rule = { ecrRepositoryPrefix: 'again', upstreamRegistryUrl: world.upstream.host }
      assert.equal((await refusalOf(ecr.createPullThroughCacheRule(rule))).name, 'InvalidParameterException')
      const customRoleArn = `arn:aws:iam::${upstreamAccount}:role/${roleName}`
      const elsewhere = await refusalOf(ecr.createPullThroughCacheRule({ ...rule, customRoleArn }))
      assert.equal(elsewhere.name, 'InvalidParameterException')
    })

    test('the cache pulls where the role and the policy of the repository allow it', async () => {
      await using world = await startWorld(await databases.url())
      const { app, cache, upstream } = world
      await world.open(pullActions)
      const pulled = await world.pull()
      assert.equal(pulled.status, 200)
      assert.ok(pulled.body.equals(app.bytes))
      for (const { digest, bytes } of app.blobs) {
        const { status, body } = await cache.get(`other/team/app/blobs/${digest}`)
        assert.equal(status, 200)
        assert.ok(body.equals(bytes))
      }
      await cache.stored('other/team/app', app)
      await until(async () => {
        const { imageDetails = [] } = await upstream.ecr.describeImages({ repositoryName: 'team/app' })
        return imageDetails[0]?.lastRecordedPullTime !== undefined
      })
    })

    test('the policy of the upstream registry does as well, and the role may be named in place of the account', async () => {
      await using world = await startWorld(await databases.url())
      const Resource = `arn:aws:ecr:${region}:${upstreamAccount}:repository/*`
      const Statement = {
        Sid: 'cache',
        Effect: 'Allow',
        Principal: { AWS: world.roleArn },
        Action: pullActions,
        Resource,
      }
      const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [Statement] })
      await world.upstream.ecr.putAccountSetting({ name: 'REGISTRY_POLICY_SCOPE', value: 'V2' })
      await world.upstream.ecr.putRegistryPolicy({ policyText })
      assert.equal((await world.pull()).status, 200)
    })

    test('a missing allowance is named, on which side it is missing', async () => {
      await using world = await startWorld(await databases.url())
      const denied = (action: string) =>
        new RegExp(`may not perform ${action} on arn:aws:ecr:${region}:${upstreamAccount}`)
      const missing = 'no policy of the upstream repository or registry allows it'
      await requireDenied(world, new RegExp(`${denied('ecr:BatchImportUpstreamImage').source}.*${missing}`))
      await world.open(['ecr:BatchImportUpstreamImage'])
      await requireDenied(world, new RegExp(`${denied('ecr:BatchGetImage').source}.*${missing}`))
      await world.open(pullActions)
      await world.allowRole(['ecr:GetAuthorizationToken', 'ecr:BatchImportUpstreamImage'])
      await requireDenied(world, /may not perform ecr:BatchGetImage on .*: no policy of the rule's role allows it/)
      await world.allowRole(pullActions)
      await requireDenied(world, /may not perform ecr:GetAuthorizationToken: no policy of the rule's role allows it/)
      await world.allowRole(['ecr:GetAuthorizationToken', 'ecr:BatchImportUpstreamImage', 'ecr:BatchGetImage'])
      world.deployment.pass(60_000)
      assert.equal((await world.pull()).status, 200)
      const layer = await world.cache.get(`other/team/app/blobs/${world.app.blobs[1]?.digest}`)
      assert.equal(layer.error, 'DENIED')
      assert.match(layer.message, /may not perform ecr:GetDownloadUrlForLayer on /)
    })

    test('the trust policy of the role must allow the service, for the account if it asks for that', async () => {
      await using world = await startWorld(await databases.url())
      await world.open(pullActions)
      const { account } = world.deployment.server
      const problem = /the role of the rule does not exist, or its trust policy does not allow pullthroughcache/
      await world.trust({ Principal: { Service: 'replication.ecr.amazonaws.com' } })
      await requireDenied(world, problem)
      await world.trust({ Principal: { AWS: `arn:aws:iam::${account}:root` } })
      await requireDenied(world, problem)
      const asksFor = (id: string) => ({ Condition: { StringEquals: { 'aws:SourceAccount': id } } })
      await world.trust({ Principal: { Service: service }, ...asksFor(upstreamAccount) })
      await requireDenied(world, problem)
      await world.trust({ Principal: { Service: service }, ...asksFor(account) })
      world.deployment.pass(60_000)
      assert.equal((await world.pull()).status, 200)
    })

    test('without its role a rule serves what is cached, and fetches nothing more', async () => {
      await using world = await startWorld(await databases.url())
      const { app, cache, upstream } = world
      await world.open(pullActions)
      await world.pull()
      await cache.stored('other/team/app', app)
      await upstream.push('team/app', image({ layers: [30_000] }), 'v2')
      const iam = world.deployment.iamOf()
      await iam.deleteRolePolicy({ RoleName: roleName, PolicyName: 'pull' })
      await iam.deleteRole({ RoleName: roleName })
      world.deployment.pass(2 * day)
      const stale = await world.pull()
      assert.equal(stale.status, 200)
      assert.match(String(stale.headers.warning), /^111 lading /)
      const denied = await cache.get('other/team/app/manifests/v2')
      assert.equal(denied.error, 'DENIED')
      assert.match(denied.message, /the role of the rule does not exist/)
    })

    test('the ECR API has its failure codes for what the cache may not do upstream', async () => {
      await using world = await startWorld(await databases.url())
      const { app, cache, deployment } = world
      const repositoryName = 'other/team/app'
      const denied = await cache.ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
      assert.deepEqual(
        denied.failures?.map(({ failureCode }) => failureCode),
        ['UpstreamAccessDenied'],
      )
      await world.open(['ecr:BatchImportUpstreamImage', 'ecr:BatchGetImage'])
      deployment.pass(60_000)
      const { images = [] } = await cache.ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
      assert.equal(images[0]?.imageManifest, app.bytes.toString())
      const layerDigest = app.blobs[1]?.digest
      const layer = await refusalOf(cache.ecr.getDownloadUrlForLayer({ repositoryName, layerDigest }))
      assert.equal(layer.name, 'UnableToGetUpstreamLayerException')
      assert.match(layer.message, /may not perform ecr:GetDownloadUrlForLayer on /)
    })
  }),
)
