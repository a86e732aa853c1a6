/** Images of unusual sizes and kinds, on their way to another deployment. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EcrSession } from '#test/support/ecr-session.ts'
import { artifact, type Image, image, imageWithForeignLayer, index } from '#test/support/images/build.ts'
import { noise } from '#test/support/images/content.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { startPair, startSource, there } from '#test/support/peers/pair.ts'
import { contentOf, settled } from '#test/support/replication.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'

const complete = [`${there.registryId}/${there.region}: COMPLETE`]
const mebibytes16 = 16 * 1024 * 1024

/** Blobs by the distribution API, as ECR's has no part without a byte. */
async function pushAny({ server }: EcrSession, repository: string, pushed: Image, tag: string): Promise<void> {
  await using client = await openOciClient(server)
  for (const { digest, bytes } of pushed.blobs) {
    const begun = await client.call('POST', `/v2/${repository}/blobs/uploads/`)
    assert.equal(begun.status, 202, begun.message)
    const done = await client.call('PUT', `${begun.headers.location}?digest=${digest}`, { body: bytes })
    assert.equal(done.status, 201, done.message)
  }
  const put = await client.call('PUT', `/v2/${repository}/manifests/${tag}`, {
    headers: { 'content-type': pushed.mediaType },
    body: pushed.bytes,
  })
  assert.equal(put.status, 201, put.message)
}

const sizes = { 'no byte': 0, 'one byte': 1, 'a whole chunk': mebibytes16, 'a chunk and a byte': mebibytes16 + 1 }

describe('a blob', () => {
  for (const kind of ['lading', 'ecr'] as const) {
    test(`of any size arrives at another Lading as ${kind}`, async () => {
      await using pair = await startPair({ kind })
      for (const [seed, bytes] of Object.entries(sizes)) {
        const pushed = artifact({ artifactType: 'application/x', blobs: [noise(seed, bytes)] })
        const name = await pair.source.repository()
        await pushAny(pair.source, name, pushed, 'v1')
        assert.deepEqual(await settled(pair.source.ecr, name, pushed.digest), complete, seed)
        assert.deepEqual(await contentOf(pair.destination.ecr, name), [`${pushed.digest} v1`])
      }
    })
  }

  test('of any size arrives at a registry by the distribution API', async () => {
    await using registry = await startDistribution('docker-registry')
    const registries = [{ account: there.registryId, region: there.region }]
    await using source = await startSource([{ name: 'plain', kind: 'registry', url: registry.url, registries }])
    for (const [seed, bytes] of Object.entries(sizes)) {
      const pushed = artifact({ artifactType: 'application/x', blobs: [noise(seed, bytes)] })
      const name = await source.repository()
      await pushAny(source, name, pushed, 'v1')
      assert.deepEqual(await settled(source.ecr, name, pushed.digest), complete, seed)
    }
  })
})

describe('an image', () => {
  test('of 100 layers, an index of 50, one with a foreign layer and one of Docker arrive', async () => {
    await using pair = await startPair()
    const kinds: Readonly<Record<string, Image>> = {
      layers: image({ layers: Array.from({ length: 100 }, (_, at) => 100 + at) }),
      index: index({ children: Array.from({ length: 50 }, (_, at) => image({ seed: `child ${at}`, layers: [50] })) }),
      foreign: imageWithForeignLayer('foreign').image,
      docker: image({ format: 'docker' }),
    }
    for (const [kind, pushed] of Object.entries(kinds)) {
      const name = await pair.source.repository()
      await pair.source.push(name, pushed, kind)
      assert.deepEqual(await settled(pair.source.ecr, name, pushed.digest), complete, kind)
      const lines = await contentOf(pair.destination.ecr, name)
      assert.ok(lines?.includes(`${pushed.digest} ${kind}`), kind)
      assert.equal(lines?.length, 1 + pushed.children.length)
    }
  })
})
