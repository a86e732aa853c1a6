/** A disk that changes a byte: clients are told clearly instead of being given wrong bytes, and the next push of the image heals it. */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BatchCheckLayerAvailabilityCommand } from '@aws-sdk/client-ecr'
import { ifPresent } from '#lib/system-error.ts'
import { digestHex } from '#names/digest.ts'
import { openAuditReader } from '../support/audit.ts'
import { eachDatabase } from '../support/databases.ts'
import { image } from '../support/images/build.ts'
import { openOciClient } from '../support/oci-client.ts'
import { pullWhole, pushImage } from '../support/push.ts'
import { startServer } from '../support/server.ts'

eachDatabase((databases) =>
  test(`a flipped byte is found, told, and healed by a push, on ${databases.dialect}`, async () => {
    let aheadMs = 0
    await using server = await startServer({
      ...{ database: await databases.url(), clock: () => Date.now() + aheadMs },
      environment: { LADING_SCRUB_MIB_PER_SECOND: '1000' },
    })
    await using client = await openOciClient(server)
    const repository = await client.createRepository('team/app')
    const app = image({ layers: [50_000] })
    await pushImage(client.registry, repository, app, 'v1')
    const [, layer = assert.fail()] = app.blobs
    const hex = digestHex(layer.digest)
    const path = join(server.dataDir, 'blobs', 'sha256', hex.slice(0, 2), hex)
    const bytes = await readFile(path)
    bytes.writeUInt8(bytes.readUInt8(40_000) ^ 128, 40_000)
    await writeFile(path, bytes)

    aheadMs = 25 * 3_600_000
    const aside = join(server.dataDir, 'blobs', 'quarantine')
    while ((await ifPresent(readdir(aside))) === undefined) await delay(50)
    assert.deepEqual(
      (await readdir(aside)).map((name) => name.slice(0, 'sha256-'.length + hex.length)),
      [`sha256-${hex}`],
    )

    aheadMs = 0 // Calls are signed for now.
    using audit = openAuditReader(server)
    const attribute = { AttributeKey: 'EventName' as const, AttributeValue: 'BlobQuarantined' }
    const query = { LookupAttributes: [attribute], EndTime: new Date(Date.now() + 30 * 3_600_000) }
    const [event, ...others] = (await audit.records(query)) as unknown as readonly Record<string, unknown>[]
    assert.deepEqual(others, [])
    assert.equal(event?.eventType, 'AwsServiceEvent')
    assert.ok(JSON.stringify(event.serviceEventDetails).includes(layer.digest))
    assert.ok(JSON.stringify(event.serviceEventDetails).includes(app.digest))
    const blob = `/v2/${repository}/blobs/${layer.digest}`
    const pull = await client.call('GET', blob)
    assert.deepEqual([pull.status, pull.error], [404, 'BLOB_UNKNOWN'])
    assert.equal((await client.call('HEAD', blob)).status, 404)
    const layers = await client.ecr.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName: repository, layerDigests: [layer.digest] }),
    )
    assert.equal(
      layers.layers?.some(({ layerAvailability }) => layerAvailability === 'AVAILABLE'),
      false,
    )

    await pushImage(client.registry, repository, app, 'v1')
    await pullWhole(client.registry, repository, 'v1')
  }),
)
