/** Pulls through a rule for another region of the same account in the same deployment, which needs no role. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { amd64, arm64, artifact, type Image, image, index } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { type RegistryClient, startDeployment } from '#test/support/upstreams/deployment.ts'

const cacheRegion = 'us-east-1'
const upstreamRegion = 'eu-west-1'

async function pullWhole({ get }: RegistryClient, repository: string, wanted: Image): Promise<void> {
  const { status, body } = await get(`${repository}/manifests/${wanted.digest}`)
  assert.equal(status, 200)
  assert.ok(body.equals(wanted.bytes))
  for (const blob of wanted.blobs) {
    const pulled = await get(`${repository}/blobs/${blob.digest}`)
    assert.equal(pulled.status, 200)
    assert.ok(pulled.body.equals(blob.bytes))
  }
}

eachDatabaseInCi((databases) =>
  describe(`a cache of another region of the account, on ${databases.dialect}`, () => {
    test('an index is pulled by tag with all children, and is served after the upstream has deleted it', async () => {
      await using deployment = await startDeployment({ database: await databases.url() })
      const [cache, upstream] = [await deployment.registry(cacheRegion), await deployment.registry(upstreamRegion)]
      const children = [image({ platform: amd64, layers: [300_000] }), image({ platform: arm64, layers: [200_000] })]
      const both = index({ children })
      await upstream.push('team/app', both, 'v1')
      const { upstreamRegistry } = await cache.ecr.createPullThroughCacheRule({
        ...{ ecrRepositoryPrefix: 'from-eu', upstreamRegistryUrl: upstream.host },
      })
      assert.equal(upstreamRegistry, 'ecr')

      const head = await cache.call('HEAD', '/v2/from-eu/team/app/manifests/v1')
      assert.equal(head.headers['docker-content-digest'], both.digest)
      const pulled = await cache.get('from-eu/team/app/manifests/v1')
      assert.equal(pulled.status, 200)
      assert.ok(pulled.body.equals(both.bytes))
      for (const child of children) await pullWhole(cache, 'from-eu/team/app', child)
      await cache.stored('from-eu/team/app', both)

      await upstream.ecr.deleteRepository({ repositoryName: 'team/app', force: true })
      deployment.pass(2 * 24 * 3_600_000)
      for (const child of children) await pullWhole(cache, 'from-eu/team/app', child)
      const { imageDetails = [] } = await cache.ecr.describeImages({ repositoryName: 'from-eu/team/app' })
      assert.equal(imageDetails.length, 3)
    })

    test('an image is pulled by digest, with its referrers, and what is not there is missing', async () => {
      await using deployment = await startDeployment({ database: await databases.url() })
      const [cache, upstream] = [await deployment.registry(cacheRegion), await deployment.registry(upstreamRegion)]
      const app = image({ layers: [1_000] })
      await upstream.push('team/app', app)
      const signature = artifact({ subject: app, artifactType: 'application/vnd.example.signature' })
      await upstream.push('team/app', signature)
      await cache.ecr.createPullThroughCacheRule({
        ...{ ecrRepositoryPrefix: 'eu', upstreamRepositoryPrefix: 'team', upstreamRegistryUrl: upstream.host },
      })

      await pullWhole(cache, 'eu/app', app)
      const { body } = await cache.get(`eu/app/referrers/${app.digest}`)
      const { manifests } = JSON.parse(body.toString()) as { manifests: { digest: string; artifactType: string }[] }
      assert.deepEqual(
        manifests.map(({ digest, artifactType }) => [digest, artifactType]),
        [[signature.digest, 'application/vnd.example.signature']],
      )
      assert.equal((await cache.get('eu/app/manifests/v2')).error, 'MANIFEST_UNKNOWN')
      assert.equal((await cache.get('eu/other/manifests/v1')).error, 'MANIFEST_UNKNOWN')
      assert.equal((await cache.get(`eu/app/blobs/sha256:${'0'.repeat(64)}`)).error, 'BLOB_UNKNOWN')
    })

    test('a pull by the cache counts as a pull upstream', async () => {
      await using deployment = await startDeployment({ database: await databases.url() })
      const [cache, upstream] = [await deployment.registry(cacheRegion), await deployment.registry(upstreamRegion)]
      await upstream.push('team/app', image({ layers: [1_000] }), 'v1')
      await cache.ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'eu', upstreamRegistryUrl: upstream.host })
      const pulledAt = async () => {
        const { imageDetails = [] } = await upstream.ecr.describeImages({ repositoryName: 'team/app' })
        return imageDetails[0]?.lastRecordedPullTime
      }
      assert.equal(await pulledAt(), undefined)
      assert.equal((await cache.get('eu/team/app/manifests/v1')).status, 200)
      await until(async () => (await pulledAt()) !== undefined)
    })

    test('a policy upstream that denies everybody denies the cache', async () => {
      await using deployment = await startDeployment({ database: await databases.url() })
      const [cache, upstream] = [await deployment.registry(cacheRegion), await deployment.registry(upstreamRegion)]
      await upstream.push('team/app', image({ layers: [1_000] }), 'v1')
      await upstream.ecr.setRepositoryPolicy({
        repositoryName: 'team/app',
        policyText: JSON.stringify({
          Statement: { Effect: 'Deny', Principal: '*', Action: 'ecr:BatchGetImage' },
        }),
      })
      await cache.ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'eu', upstreamRegistryUrl: upstream.host })
      const denied = await cache.get('eu/team/app/manifests/v1')
      assert.equal(denied.error, 'DENIED')
      assert.match(
        denied.message,
        /may not perform ecr:BatchGetImage on .*eu-west-1:.*repository\/team\/app: a policy denies it/,
      )
      await upstream.ecr.deleteRepositoryPolicy({ repositoryName: 'team/app' })
      deployment.pass(10_000)
      assert.equal((await cache.get('eu/team/app/manifests/v1')).status, 200)
    })
  }),
)
