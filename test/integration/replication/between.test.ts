/** Replication to registries of other deployments: another Lading, ECR, and any registry by the distribution API. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { amd64, arm64, artifact, image, index } from '#test/support/images/build.ts'
import { startPair, startSource, there } from '#test/support/peers/pair.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'

const complete = [`${there.registryId}/${there.region}: COMPLETE`]
const sorted = (lines: readonly string[]) => [...lines].sort((a, b) => (a < b ? -1 : 1))

for (const kind of ['lading', 'ecr'] as const) {
  eachDatabase(({ dialect, url }) => {
    describe(`replication to another Lading as ${kind} (${dialect})`, () => {
      const pair = async () =>
        startPair({ kind, source: { database: await url() }, destination: { database: await url() } })

      test('an index arrives with its children, byte for byte, and then a second tag', async () => {
        await using both = await pair()
        const { source, destination } = both
        const root = index({ children: [image({ platform: amd64, layers: [300_000] }), image({ platform: arm64 })] })
        const repositoryName = await source.repository()
        await source.push(repositoryName, root, 'v1')
        assert.deepEqual(await settled(source.ecr, repositoryName, root.digest), complete)
        const expected = (tags: string) =>
          sorted([`${root.digest} ${tags}`, ...root.children.map(({ digest }) => digest)])
        assert.deepEqual(await contentOf(destination.ecr, repositoryName), expected('v1'))
        const { images } = await destination.ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
        assert.equal(images?.[0]?.imageManifest, root.bytes.toString())

        const again = { imageManifest: root.bytes.toString(), imageManifestMediaType: root.mediaType, imageTag: 'v2' }
        await source.ecr.putImage({ repositoryName, ...again })
        assert.deepEqual(await settled(source.ecr, repositoryName, root.digest), complete)
        assert.deepEqual(await contentOf(destination.ecr, repositoryName), expected('v1,v2'))
      })

      test('a referrer arrives after its subject, which was there before the rule', async () => {
        await using both = await pair()
        const { source, destination } = both
        const subject = image({ layers: [1_000] })
        const signature = artifact({ subject, artifactType: 'application/vnd.example.signature' })
        const repositoryName = await source.repository()
        await replicateTo(source.ecr, [])
        await source.push(repositoryName, subject, 'v1')
        await replicateTo(source.ecr, [there])
        await source.push(repositoryName, signature)
        assert.deepEqual(await settled(source.ecr, repositoryName, signature.digest), complete)
        assert.deepEqual(await contentOf(destination.ecr, repositoryName), sorted([subject.digest, signature.digest]))
      })

      test('an immutable tag that is taken stays, and the image arrives without it', async () => {
        await using both = await pair()
        const { source, destination } = both
        const [first, second] = [image({ layers: [100] }), image({ layers: [200] })]
        const repositoryName = await source.repository()
        await destination.ecr.createRepository({ repositoryName, imageTagMutability: 'IMMUTABLE' })
        await source.push(repositoryName, first, 'v1')
        assert.deepEqual(await settled(source.ecr, repositoryName, first.digest), complete)
        await source.push(repositoryName, second, 'v1')
        assert.deepEqual(await settled(source.ecr, repositoryName, second.digest), complete)
        assert.deepEqual(
          await contentOf(destination.ecr, repositoryName),
          sorted([`${first.digest} v1`, second.digest]),
        )
      })

      test('layers that two repositories share arrive in both', async () => {
        await using both = await pair()
        const { source, destination } = both
        const shared = image({ layers: [2_000_000] })
        const names = [await source.repository(), await source.repository()]
        for (const name of names) await source.push(name, shared, 'v1')
        for (const name of names) {
          assert.deepEqual(await settled(source.ecr, name, shared.digest), complete)
          assert.deepEqual(await contentOf(destination.ecr, name), [`${shared.digest} v1`])
        }
      })
    })
  })
}

describe('replication to a registry by the distribution API', () => {
  test('an index arrives under the prefix of the peer', async () => {
    await using registry = await startDistribution('docker-registry')
    const registries = [{ account: there.registryId, region: there.region }]
    await using source = await startSource([
      { name: 'plain', kind: 'registry', url: registry.url, registries, prefix: 'copies' },
    ])
    const root = index({ children: [image({ platform: amd64, layers: [300_000] }), image({ platform: arm64 })] })
    const repositoryName = await source.repository()
    await source.push(repositoryName, root, 'v1')
    assert.deepEqual(await settled(source.ecr, repositoryName, root.digest), complete)
    const answer = await fetch(new URL(`/v2/copies/${repositoryName}/manifests/v1`, registry.url), {
      headers: { accept: root.mediaType },
    })
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), root.bytes)
  })
})
