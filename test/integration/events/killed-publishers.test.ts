/** Two server processes publish events, and are killed while they do: each push has one event, and each event one number. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { PutImageCommand } from '@aws-sdk/client-ecr'
import { openMetadata } from '#metadata/open.ts'
import { createClient, ensureRepository, Interrupted } from '#test/support/cluster/client.ts'
import { startCluster } from '#test/support/cluster/cluster.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { pushImage } from '#test/support/push.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const region = 'us-east-1'
const rootKey = { accessKeyId: 'AKIAEVENTEVENTEVENTS', secretAccessKey: 'event-secret-event-secret-event-secret-ev' }
const repositories = ['team/one', 'team/two', 'team/three']
const kills = 3

eachDatabase(({ dialect, url }) =>
  describe(`publishers that are killed (${dialect})`, { timeout: 150_000 }, () => {
    test('lose no event, publish none twice, and keep the order of each repository', async () => {
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await temporaryFolder())
      const database = await url()
      const cluster = stack.use(
        await startCluster(2, {
          ...{ LADING_LISTEN: '127.0.0.1:0', LADING_DATA_DIR: folder.path, LADING_DATABASE: database },
          LADING_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
          LADING_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
        }),
      )
      const metadata = await openMetadata(database, () => {})
      stack.defer(() => metadata.close())
      const client = createClient(cluster, region, rootKey)
      const app = image({ seed: 'app' })
      for (const name of repositories) {
        await ensureRepository(client, name)
        await client.oci((registry) => pushImage(registry, name, app))
      }

      /** Again after a kill: a push that was committed before its answer was lost changes nothing then. */
      async function push(repositoryName: string, imageTag: string): Promise<void> {
        for (;;) {
          try {
            const input = { repositoryName, imageManifest: app.bytes.toString(), imageTag }
            await client.ecr((ecr) => ecr.send(new PutImageCommand(input)))
            return
          } catch (error) {
            if (error instanceof Error && error.name === 'ImageAlreadyExistsException') return
            if (!(error instanceof Interrupted)) throw error
          }
        }
      }
      const over = new AbortController()
      const pushing = Promise.all(
        repositories.map(async (name) => {
          const tags: string[] = []
          while (!over.signal.aborted) {
            const tag = `v${tags.length}`
            await push(name, tag)
            tags.push(tag)
          }
          return { name, tags }
        }),
      )
      for (let kill = 0; kill < kills; kill++) {
        await delay(100)
        await cluster.killOne()
      }
      over.abort()
      const pushed = await pushing

      const read = () =>
        metadata.reader
          .selectFrom('event')
          .select(['id', 'sequence', 'event_id', 'order_key', 'detail'])
          .orderBy('sequence')
          .execute()
      await until(async () => (await read()).every(({ sequence }) => sequence !== null))
      const events = await read()
      const { value: published } = await metadata.reader
        .selectFrom('counter')
        .select('value')
        .where('name', '=', 'lading_events_published_total')
        .executeTakeFirstOrThrow()
      assert.deepEqual(
        events.map(({ sequence }) => sequence),
        Array.from({ length: published }, (_, n) => n + 1),
      )
      assert.equal(new Set(events.map(({ event_id }) => event_id)).size, events.length)
      for (const { name, tags } of pushed) {
        const own = events.map(({ detail }) => JSON.parse(detail)).filter((each) => each['repository-name'] === name)
        assert.deepEqual(
          own.filter((each) => each['image-tag'] !== undefined).map((each) => [each['action-type'], each['image-tag']]),
          tags.map((tag) => ['PUSH', tag]),
        )
        assert.equal(own.length, tags.length + 1)
      }
    })
  }),
)
