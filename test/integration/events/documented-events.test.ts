/**
 * The events that docs/events.md shows are those that a server makes: each is caused here, compared with the page, and received by a
 * webhook.
 */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import type { EventEnvelope } from '#events/event.ts'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { type EventReader, openEvents } from '#test/support/events.ts'
import { artifact, type Image, image } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { normalEvent } from '#test/support/normal-events.ts'
import { openPeer } from '#test/support/peer.ts'
import { until } from '#test/support/until.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'
import { type Receiver, startReceiver } from '#test/support/webhooks/receiver.ts'

const minuteMs = 60_000
const repositoryName = 'team/app'
const sourceAccount = '222222222222'

/** What tells the examples apart. */
function kindOf({ 'detail-type': type, detail }: EventEnvelope): string {
  const failed = detail.result === 'FAILED' ? 'FAILED' : undefined
  const about = [detail['action-type'], failed, detail['target-storage-class'], detail['sync-status'], detail.eventName]
  return [type, ...about].filter((part) => part !== undefined).join(' ')
}

eachDatabaseInCi(({ dialect, url }) =>
  describe(`the events of docs/events.md (${dialect})`, () => {
    let session: CacheSession
    let events: EventReader
    let receiver: Receiver
    let ahead = 0
    const seen = new Map<string, unknown>()
    const listed = new Map<string, EventEnvelope>()
    before(async () => {
      receiver = await startReceiver()
      const environment = { LADING_SCRUB_MIB_PER_SECOND: '1000', LADING_WEBHOOK_HOSTS: receiver.host }
      session = await startCacheSession({ database: await url(), environment })
      const { secret } = await ask<wire.CreateWebhookResponse>('CreateWebhook', { name: 'all', url: receiver.url })
      receiver.secrets = [secret]
      events = await openEvents(session.server, { clock: () => Date.now() + ahead })
    })
    after(async () => {
      await session[Symbol.asyncDispose]()
      await receiver[Symbol.asyncDispose]()
    })

    const pass = (ms: number) => {
      ahead += ms
      session.pass(ms)
    }
    const ask = async <Output>(operation: string, input: object) => {
      const { server } = session
      const at = new Date(Date.now() + ahead)
      const { status, body } = await callAdmin<Output>(server, server.credentials, operation, input, at)
      assert.equal(status, 200, JSON.stringify(body))
      return body
    }
    /** Keeps the first event of each kind, until those of these kinds have come. */
    async function see(...kinds: readonly string[]): Promise<void> {
      const came = await events.until((some) => kinds.every((kind) => some.some((event) => kindOf(event) === kind)))
      for (const event of came) {
        listed.set(event.id, event)
        if (!seen.has(kindOf(event))) seen.set(kindOf(event), normalEvent(event))
      }
    }

    test('each example of the page is an event as it came, and each kind has an example', {
      timeout: 120_000,
    }, async () => {
      const { ecr, hub, server } = session
      const push = (what: Image, tag?: string) => pushImageTo(ecr, repositoryName, what, tag)
      const [one, two] = [image({ seed: 'one' }), image({ seed: 'two' })]
      await ecr.createRepository({ repositoryName })
      await push(one, 'v1')
      await push(two, 'v1')
      await see('AWS API Call via CloudTrail CreateRepository', 'Lading Tag Action MOVED')
      await ask('RollbackTag', { repositoryName, imageTag: 'v1' })
      await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: one.digest }] })
      await ask('RestoreDeletedImage', { repositoryName, imageDigest: one.digest })
      await see('Lading Tag Action ROLLED_BACK', 'ECR Image Action DELETE', 'Lading Image Action RESTORED')

      await push(artifact({ artifactType: 'application/spdx+json', subject: one, blobs: [Buffer.from('{}')] }))
      for (const targetStorageClass of ['ARCHIVE', 'STANDARD'] as const) {
        await ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag: 'v1' }, targetStorageClass })
      }
      await see('AWS Service Event via CloudTrail ImageActivationEvent')

      hub.content.push('library/alpine', image({ seed: 'alpine' }), '3.22')
      const pulled = { repositoryName: 'hub/library/alpine', imageIds: [{ imageTag: '3.22' }] }
      hub.behaviour.down = true
      await ecr.createRepository({ repositoryName: pulled.repositoryName })
      await ecr.batchGetImage(pulled)
      hub.behaviour.down = false
      pass(minuteMs)
      await ecr.batchGetImage(pulled)
      await see('ECR Pull Through Cache Action FAILED', 'ECR Pull Through Cache Action SUCCESS')

      await ecr.putRegistryScanningConfiguration({
        ...{ scanType: 'ENHANCED' },
        rules: [
          { scanFrequency: 'CONTINUOUS_SCAN', repositoryFilters: [{ filter: 'team/*', filterType: 'WILDCARD' }] },
        ],
      })
      const lifecyclePolicyText = JSON.stringify({
        rules: [
          {
            ...{ rulePriority: 1, description: 'keep one image', action: { type: 'expire' } },
            selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
          },
        ],
      })
      await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })
      await see('ECR Scan Resource Change SCAN_FREQUENCY_CHANGE', 'AWS Service Event via CloudTrail DryRunEvent')
      await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText })
      pass(2 * minuteMs)
      await see('Lading Policy Action EXECUTED')

      const Principal = { AWS: `arn:aws:iam::${sourceAccount}:root` }
      const Action = ['ecr:ReplicateImage', 'ecr:CreateRepository']
      const statement = { Sid: 'replicas', Effect: 'Allow', Principal, Action, Resource: '*' }
      await using peer = await openPeer(server, await server.addAccount(sourceAccount))
      await ecr.putRegistryPolicy({ policyText: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) })
      const [here, there] = [image({ seed: 'here' }), image({ seed: 'there' })]
      await peer.replicate(repositoryName, there, { tag: 'v2' })
      await push(here, 'v2')
      await peer.putManifest(repositoryName, there, { tag: 'v2', pushedAt: Date.now() + ahead - 1_000 })
      await see('ECR Replication Action REPLICATE', 'Lading Tag Action TAG_CONFLICT')

      const destinations = [{ region: server.region, registryId: '333333333333' }]
      await server.addAccount('333333333333')
      await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } })
      await push(image({ seed: 'refused' }), 'v3')
      await see('ECR Replication Action REPLICATE FAILED')

      const blob = here.blobs.at(-1) ?? assert.fail()
      const folder = join(server.dataDir, 'blobs')
      const files = await readdir(folder, { recursive: true })
      const file = files.find((path) => path.endsWith(blob.digest.replace('sha256:', ''))) ?? assert.fail()
      const bytes = await readFile(join(folder, file))
      bytes.writeUInt8(bytes.readUInt8(0) ^ 128, 0)
      await writeFile(join(folder, file), bytes)
      pass(25 * 60 * minuteMs)
      await until(async () => (await readMetrics(server)).get('lading_quarantined_blobs') === 1)
      await see('Lading Damage BLOB_QUARANTINED')

      // A webhook had all of them, signed.
      const received = () => new Map(receiver.accepted.map(({ id, event }) => [id, event]))
      await until(() => [...listed.keys()].every((id) => received().has(id)))
      for (const [id, event] of listed) assert.deepEqual(received().get(id), event)
      assert.deepEqual(new Set(receiver.received.map(({ verified }) => verified)), new Set([true]))

      const examples = blocksOf(await readPage('events.md', { host: '127.0.0.1:5100' }), 'json').map(
        (block) => JSON.parse(block) as EventEnvelope,
      )
      const shown = new Set<string>()
      for (const example of examples.filter((each) => 'detail-type' in each)) {
        const kind = kindOf(example)
        shown.add(kind)
        assert.deepEqual(example, seen.get(kind), kind)
      }
      const isCall = (kind: string) => kind.startsWith('AWS API Call')
      // One call stands for all, and a preview for a run, which has its form.
      const isAlike = (kind: string) => isCall(kind) || kind.endsWith('PolicyExecutionEvent')
      const missing = [...seen.keys()].filter((kind) => !shown.has(kind) && !isAlike(kind))
      assert.deepEqual(missing, [])
      assert.ok([...shown].some(isCall))
    })
  }),
)
