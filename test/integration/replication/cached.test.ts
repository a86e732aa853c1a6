/** Images that the pull-through cache fetches are replicated as pushes are, once they are whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { amd64, arm64, type Image, image, index } from '#test/support/images/build.ts'
import { contentOf, linesOf, settled } from '#test/support/replication.ts'
import { until } from '#test/support/until.ts'
import { startCacheSession } from '#test/support/upstreams/cache-session.ts'

const repository = 'hub/library/app'

test('an image and an index that the cache fetches arrive at the destination, and a copy does not come back', async (t) => {
  await using session = await startCacheSession()
  const { hub, get, ecr, server } = session
  const registry = (region: string) => {
    const client = new ECR({ endpoint: server.url, region, credentials: server.credentials })
    t.after(() => client.destroy())
    return { ecr: client, registryId: server.account, region, name: `${server.account}/${region}` }
  }
  const source = { ...registry('us-east-1'), ecr }
  const copy = registry('eu-west-1')
  const pull = async (reference: string, parts: readonly Image[]) => {
    assert.equal((await get(`${repository}/manifests/${reference}`)).status, 200)
    for (const { digest, blobs } of parts) {
      assert.equal((await get(`${repository}/manifests/${digest}`)).status, 200)
      for (const blob of blobs) assert.equal((await get(`${repository}/blobs/${blob.digest}`)).status, 200)
    }
  }
  for (const [from, to] of [
    [source, copy],
    [copy, source],
  ] as const) {
    const rule = { destinations: [{ registryId: to.registryId, region: to.region }] }
    await from.ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [rule] } })
  }

  const app = image({ seed: 'cached', layers: [100_000] })
  hub.content.push('library/app', app, 'v1')
  await pull('v1', [app])
  await until(async () => (await contentOf(copy.ecr, repository))?.includes(`${app.digest} v1`) === true)
  assert.deepEqual(await settled(source.ecr, repository, app.digest), [`${copy.name}: COMPLETE`])
  assert.deepEqual(await contentOf(copy.ecr, repository), linesOf([app, 'v1']))

  const children = [image({ platform: amd64, seed: 'cached' }), image({ platform: arm64, seed: 'cached' })]
  const both = index({ children })
  hub.content.push('library/app', both, 'v2')
  await pull('v2', children)
  await until(async () => (await contentOf(copy.ecr, repository))?.includes(`${both.digest} v2`) === true)
  assert.deepEqual(await settled(source.ecr, repository, both.digest), [`${copy.name}: COMPLETE`])
  const [first, second] = children
  assert(first && second)
  assert.deepEqual(await contentOf(copy.ecr, repository), linesOf([app, 'v1'], [both, 'v2'], [first], [second]))
  const { replicationStatuses } = await copy.ecr.describeImageReplicationStatus({
    repositoryName: repository,
    imageId: { imageDigest: both.digest },
  })
  assert.deepEqual(replicationStatuses, [])
})
