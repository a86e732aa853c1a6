/** A disk that changes a byte: clients are told clearly instead of being given wrong bytes, and the next push of the image heals it. */
import assert from 'node:assert/strict'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { type Digest, digestHex } from '#names/digest.ts'
import { openAuditReader } from '#test/support/audit.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { pushBlobTo } from '#test/support/ecr-push.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pullWhole, pushImage } from '#test/support/push.ts'
import { startServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

eachDatabaseInCi((databases) =>
  describe(`damaged content on ${databases.dialect}`, () => {
    /** A server with an image, and its layer. */
    async function stage() {
      let aheadMs = 0
      await using stack = new AsyncDisposableStack()
      const server = stack.use(
        await startServer({
          ...{ database: await databases.url(), clock: () => Date.now() + aheadMs },
          environment: { LADING_SCRUB_MIB_PER_SECOND: '1000' },
        }),
      )
      const client = stack.use(await openOciClient(server))
      const repository = await client.createRepository('team/app')
      const app = image({ layers: [50_000] })
      await pushImage(client.registry, repository, app, 'v1')
      const [, layer = assert.fail()] = app.blobs
      const ecr = stack.adopt(
        new ECR({ endpoint: server.url, region: server.region, credentials: server.credentials, maxAttempts: 1 }),
        (each) => each.destroy(),
      )
      async function metric(name: string): Promise<number> {
        const { accessKeyId, secretAccessKey } = server.credentials
        const authorization = `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}`
        const text = await (await fetch(`${server.url}/metrics`, { headers: { authorization } })).text()
        return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
      }
      const ending = stack.move()
      return {
        ...{ server, client, repository, app, layer, ecr },
        path: pathIn(server.dataDir, layer.digest),
        aside: join(server.dataDir, 'blobs', 'quarantine'),
        async availability() {
          const asked = { repositoryName: repository, layerDigests: [layer.digest] }
          const { layers } = await ecr.batchCheckLayerAvailability(asked)
          return layers?.map(({ layerAvailability }) => layerAvailability)
        },
        metric,
        /** Flips a bit of the layer's file, and has the scrub of a day later find it. */
        async damage() {
          const path = pathIn(server.dataDir, layer.digest)
          const bytes = await readFile(path)
          bytes.writeUInt8(bytes.readUInt8(40_000) ^ 128, 40_000)
          await writeFile(path, bytes)
          aheadMs = 25 * 3_600_000
          await until(async () => (await metric('lading_quarantined_blobs')) === 1)
          aheadMs = 0 // Calls are signed for now.
        },
        [Symbol.asyncDispose]: () => ending.disposeAsync(),
      }
    }

    test('a flipped byte is found, told, and healed by a push', async () => {
      await using staged = await stage()
      const { server, client, repository, app, layer, metric } = staged
      assert.deepEqual([await metric('lading_quarantined_blobs'), await metric('lading_quarantined_bytes')], [0, 0])
      await staged.damage()
      const hex = digestHex(layer.digest)
      assert.deepEqual(
        (await readdir(staged.aside)).map((name) => name.slice(0, 'sha256-'.length + hex.length)),
        [`sha256-${hex}`],
      )

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
      assert.deepEqual(
        [await metric('lading_quarantined_blobs'), await metric('lading_quarantined_bytes')],
        [1, layer.bytes.byteLength],
      )

      await pushImage(client.registry, repository, app, 'v1')
      await pullWhole(client.registry, repository, 'v1')
      assert.equal((await client.call('HEAD', blob)).status, 200)
      assert.deepEqual([await metric('lading_quarantined_blobs'), await metric('lading_quarantined_bytes')], [0, 0])
    })

    test("ECR's API says that the layer is not there, and takes it", async () => {
      await using staged = await stage()
      const { client, repository, layer, ecr, availability, path } = staged
      const asked = { repositoryName: repository, layerDigest: layer.digest }
      await staged.damage()
      assert.deepEqual(await availability(), ['UNAVAILABLE'])
      assert.equal((await refusalOf(ecr.getDownloadUrlForLayer(asked))).name, 'LayersNotFoundException')
      await pushBlobTo(ecr, repository, layer)
      assert.deepEqual(await availability(), ['AVAILABLE'])
      await pullWhole(client.registry, repository, 'v1')

      // What is cut short, and nobody has read since.
      await truncate(path, 100)
      assert.deepEqual(await availability(), ['UNAVAILABLE'])
      await pushBlobTo(ecr, repository, layer)
      await pullWhole(client.registry, repository, 'v1')
    })
  }),
)

function pathIn(dataDir: string, digest: Digest): string {
  const hex = digestHex(digest)
  return join(dataDir, 'blobs', 'sha256', hex.slice(0, 2), hex)
}
