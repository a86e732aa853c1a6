/** Registries of one deployment that are caches of one another, in a row and in a ring. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { type Deployment, type RegistryClient, startDeployment } from '#test/support/upstreams/deployment.ts'

/** A rule needs it for an upstream that is a cache itself: the first pull creates the repository there. */
async function createRole(deployment: Deployment): Promise<string> {
  const iam = deployment.iamOf()
  const { Role } = await iam.createRole({
    RoleName: 'chain',
    AssumeRolePolicyDocument: JSON.stringify({
      Statement: {
        ...{ Effect: 'Allow', Action: 'sts:AssumeRole' },
        Principal: { Service: 'pullthroughcache.ecr.amazonaws.com' },
      },
    }),
  })
  const PolicyDocument = JSON.stringify({ Statement: { Effect: 'Allow', Action: 'ecr:*', Resource: '*' } })
  await iam.putRolePolicy({ RoleName: 'chain', PolicyName: 'pull', PolicyDocument })
  return Role?.Arn ?? ''
}

async function cacheFrom(cache: RegistryClient, upstream: RegistryClient, customRoleArn?: string): Promise<void> {
  await cache.ecr.createPullThroughCacheRule({
    ...{ ecrRepositoryPrefix: 'ROOT', upstreamRegistryUrl: upstream.host, customRoleArn },
  })
}

eachDatabaseInCi((databases) =>
  describe(`caches of caches on ${databases.dialect}`, () => {
    test('a cache of a cache pulls over both, and both keep the image', async () => {
      await using deployment = await startDeployment({ database: await databases.url() })
      const near = await deployment.registry('us-east-1')
      const middle = await deployment.registry('eu-west-1')
      const far = await deployment.registry('eu-central-1')
      const app = image({ layers: [300_000] })
      await far.push('team/app', app, 'v1')
      await cacheFrom(middle, far)
      await cacheFrom(near, middle, await createRole(deployment))

      const pulled = await near.get('team/app/manifests/v1')
      assert.equal(pulled.status, 200, pulled.message)
      for (const { digest, bytes } of app.blobs) {
        const { status, body } = await near.get(`team/app/blobs/${digest}`)
        assert.equal(status, 200)
        assert.ok(body.equals(bytes))
      }
      for (const registry of [near, middle]) await registry.stored('team/app', app)
    })

    test('two registries that cache one another serve the images of both, and end where neither has one', async () => {
      await using deployment = await startDeployment({ database: await databases.url() })
      const [one, other] = [await deployment.registry('us-east-1'), await deployment.registry('eu-west-1')]
      // Each could create repositories in the other, and so ask on.
      const role = await createRole(deployment)
      await cacheFrom(one, other, role)
      await cacheFrom(other, one, role)
      const [ofOne, ofOther] = [image({ layers: [1_000] }), image({ layers: [2_000] })]
      await one.push('team/one', ofOne, 'v1')
      await other.push('team/other', ofOther, 'v1')

      const both = await Promise.all([one.get('team/none/manifests/v1'), other.get('team/none/manifests/v1')])
      assert.deepEqual(
        both.map(({ status }) => status),
        [404, 404],
      )
      assert.ok((await other.get('team/one/manifests/v1')).body.equals(ofOne.bytes))
      assert.ok((await one.get('team/other/manifests/v1')).body.equals(ofOther.bytes))
    })
  }),
)
