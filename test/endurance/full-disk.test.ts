/** A full disk refuses and changes nothing, and serves again as soon as there is room. Blobs and database share a small disk. */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { type Blob, blob, image, mediaTypes } from '#test/support/images/build.ts'
import { noise } from '#test/support/images/content.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pullWhole, pushBlob, pushImage, type Registry, request } from '#test/support/push.ts'
import { run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const diskBytes = 32 * 1024 * 1024

function layerOf(sizeBytes: number): Blob {
  return blob(mediaTypes.oci.layer, noise(`full/${sizeBytes}`, sizeBytes))
}

/** The whole of a blob in one request. */
function pushAtOnce(registry: Registry, repository: string, { bytes, digest }: Blob): Promise<Response> {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
  return request(registry, path, { method: 'POST', body: new Uint8Array(bytes) })
}

test('a full disk refuses, acknowledges nothing, and is no matter once there is room', async (t) => {
  await using folder = await temporaryFolder()
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder.path])
  } catch (error) {
    t.skip(`no small disk can be mounted here: ${error}`)
    return
  }
  try {
    const environment = { LADING_DATA_DIR: join(folder.path, 'data') }
    await using server = await startServer({ environment })
    await using client = await openOciClient(server)
    const { registry } = client
    const repository = await client.createRepository('full/disk')
    const kept = image({ seed: 'kept' })
    await pushImage(registry, repository, kept, 'kept')

    const tooLarge = layerOf(diskBytes)
    const refused = await pushAtOnce(registry, repository, tooLarge)
    assert.equal(refused.status, 507)
    assert.equal(await headBlob(registry, repository, tooLarge), 404)
    await assert.rejects(pushBlob(registry, repository, tooLarge), /507/)
    await pushBlob(registry, repository, layerOf(8 * 1024 * 1024))

    const filler = join(folder.path, 'filler')
    await assert.rejects(writeFile(filler, Buffer.alloc(diskBytes)), { code: 'ENOSPC' })
    const ecr = new ECR({
      endpoint: server.url,
      region: server.region,
      credentials: server.credentials,
      maxAttempts: 1,
    })
    const large = image({ seed: 'large', annotations: { padding: 'x'.repeat(3_000_000) } })
    await assert.rejects(pushImage(registry, repository, large, 'large'), /507/)
    await assert.rejects(ecr.createRepository({ repositoryName: 'full/other' }), { name: 'ServerException' })
    assert.equal(await pullWhole(registry, repository, 'kept'), kept.digest, 'pulls go on')
    ecr.destroy()

    await rm(filler)
    await pushImage(registry, repository, large, 'large')
    assert.equal(await pullWhole(registry, repository, 'large'), large.digest)
  } finally {
    await run('umount', ['--lazy', folder.path])
  }
})

async function headBlob(registry: Registry, repository: string, { digest }: Blob): Promise<number> {
  const { status } = await request(registry, `/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })
  return status
}
