/** A blob that the source has damaged or lost is not sent again and again. */
import assert from 'node:assert/strict'
import { readdir, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Blob, image, layer } from '#test/support/images/build.ts'
import { noise } from '#test/support/images/content.ts'
import { type Link, startLink } from '#test/support/peers/link.ts'
import { startPair, there } from '#test/support/peers/pair.ts'
import { replicateTo, settled } from '#test/support/replication.ts'
import { until } from '#test/support/until.ts'

const layerBytes = 300_000

async function fileOf(dataDir: string, { digest }: Blob): Promise<string> {
  const hex = digest.split(':')[1] ?? ''
  for (const entry of await readdir(join(dataDir, 'blobs'), { recursive: true })) {
    if (entry.endsWith(hex)) return join(dataDir, 'blobs', entry)
  }
  return assert.fail('the layer has a file')
}

const damages = {
  altered: (path: string, { bytes }: Blob) => writeFile(path, noise('damage', bytes.byteLength)),
  'cut short': (path: string) => truncate(path, 10),
  missing: (path: string) => unlink(path),
} as const

for (const [name, damage] of Object.entries(damages)) {
  test(`a layer that is ${name} at the source is sent once at most, and again once it is healed`, async () => {
    let link: Link | undefined
    await using both = await startPair({
      through: async (url) => {
        const { hostname: host, port } = new URL(url)
        link = await startLink({ to: () => ({ host, port: Number(port) }) })
        return link.url
      },
    })
    assert.ok(link)
    await using passed = link
    const { source } = both
    const pushed = image({ seed: name, layers: [layerBytes] })
    const damaged = pushed.blobs.at(-1) ?? assert.fail()
    const repositoryName = await source.repository()
    await replicateTo(source.ecr, [])
    await source.push(repositoryName, pushed, 'v0')
    const path = await fileOf(source.server.dataDir, damaged)
    await damage(path, damaged)
    await replicateTo(source.ecr, [there])
    await source.ecr.putImage({ repositoryName, imageManifest: pushed.bytes.toString(), imageTag: 'v1' })
    const status = async () => {
      const imageId = { imageDigest: pushed.digest }
      const answer = await source.ecr.describeImageReplicationStatus({ repositoryName, imageId })
      return answer.replicationStatuses?.[0]?.status
    }
    // The first attempt, and the second one after the wait of a failure.
    const before = performance.now()
    await until(() => performance.now() - before > 4_000)
    assert.equal(await status(), 'IN_PROGRESS')
    assert.ok(passed.bytes < 2 * layerBytes, `${passed.bytes} bytes passed`)

    await writeFile(path, damaged.bytes)
    await source.ecr.putImage({ repositoryName, imageManifest: pushed.bytes.toString(), imageTag: 'v2' })
    assert.deepEqual(await settled(source.ecr, repositoryName, pushed.digest), [
      `${there.registryId}/${there.region}: COMPLETE`,
    ])
  })
}

test('images of other repositories that share a layer with a damaged image do not wait for it', async () => {
  await using both = await startPair()
  const { source } = both
  const shared = layer({ shared: noise('shared', layerBytes) })
  const [damaged, ...others] = Array.from({ length: 11 }, (_, at) =>
    image({ seed: String(at), layers: [shared, 1_000] }),
  )
  assert.ok(damaged)
  const repositories = await Promise.all([damaged, ...others].map(() => source.repository()))
  const [first = assert.fail(), ...rest] = repositories
  await replicateTo(source.ecr, [])
  await source.push(first, damaged, 'v0')
  await unlink(await fileOf(source.server.dataDir, damaged.blobs.at(-1) ?? assert.fail()))
  await replicateTo(source.ecr, [there])
  await source.ecr.putImage({ repositoryName: first, imageManifest: damaged.bytes.toString(), imageTag: 'v1' })
  for (const [at, repositoryName] of rest.entries()) {
    await source.push(repositoryName, others[at] ?? assert.fail(), 'v1')
  }
  for (const [at, repositoryName] of rest.entries()) {
    assert.deepEqual(await settled(source.ecr, repositoryName, others[at]?.digest ?? ''), [
      `${there.registryId}/${there.region}: COMPLETE`,
    ])
  }
})
