/** Events of calls, of what the server does of itself, of the cache, of scanning and of damage: each once, with its cause. */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { EventEnvelope } from '#events/event.ts'
import { openAuditReader } from '#test/support/audit.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { essence, openEvents } from '#test/support/events.ts'
import { image } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'
import { until } from '#test/support/until.ts'
import { startCacheSession } from '#test/support/upstreams/cache-session.ts'

const dayMs = 86_400_000
const ofType = (wanted: string) => (event: EventEnvelope) => event['detail-type'] === wanted
const api = ofType('AWS API Call via CloudTrail')
const service = ofType('AWS Service Event via CloudTrail')

eachDatabase(({ dialect, url }) =>
  describe(`further events (${dialect})`, () => {
    test('a call that may have changed something is one event; a call that reads or is refused is none', async () => {
      await using session = await startEcrSession({ database: await url() })
      const { server, ecr } = session
      const events = await openEvents(server)
      await ecr.createRepository({ repositoryName: 'team/app' })
      await refusalOf(ecr.createRepository({ repositoryName: 'team/app' }))
      await ecr.describeRepositories({})
      await session.push('team/app', image({ seed: '1' }), 'v1')
      await ecr.deleteRepository({ repositoryName: 'team/app', force: true })
      await ecr.createRepository({ repositoryName: 'last' })
      const all = await events.until((some) => some.some(({ detail }) => JSON.stringify(detail).includes('"last"')))
      const calls = all.filter(api)
      const names = calls.map(({ detail }) => String(detail.eventName)).filter((name) => !/Layer/.test(name))
      assert.deepEqual(names, ['CreateRepository', 'PutImage', 'DeleteRepository', 'CreateRepository'])
      assert.equal(new Set(calls.map(({ detail }) => detail.eventID)).size, calls.length)
      const [created = assert.fail()] = calls
      const { detail, ...envelope } = created
      assert.deepEqual(
        { ...envelope, id: '', time: '' },
        {
          ...{ version: '0', id: '', 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.ecr', resources: [] },
          ...{ account: server.account, time: '', region: server.region },
        },
      )
      // The record is the one that the audit trail has.
      using trail = openAuditReader(server)
      const [recorded] = await trail.records({
        LookupAttributes: [{ AttributeKey: 'EventId', AttributeValue: String(detail.eventID) }],
      })
      assert.deepEqual(recorded, detail)
      assert.equal(detail.eventName, 'CreateRepository')
    })

    test('without an audit trail what the server does has its events, and calls have none', async () => {
      const environment = { LADING_AUDIT_DAYS: '0' }
      await using session = await startEcrSession({ database: await url(), environment })
      const { server, ecr } = session
      const events = await openEvents(server)
      const repositoryName = await session.repository()
      await session.push(repositoryName, image({ seed: '1' }), 'v1')
      for (const targetStorageClass of ['ARCHIVE', 'STANDARD'] as const) {
        await ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag: 'v1' }, targetStorageClass })
      }
      const all = await events.until((some) => some.some(service))
      assert.deepEqual(all.filter(api), [])
      assert.deepEqual(
        all.filter(service).map(({ detail }) => detail.eventName),
        ['ImageActivationEvent'],
      )
    })

    test('a caller lists calls of its own account and region only', async () => {
      await using session = await startEcrSession({ database: await url() })
      const { server, ecr } = session
      const credentials = await server.addAccount('222222222222')
      const [own, foreign] = [await openEvents(server), await openEvents(server, { credentials })]
      await ecr.createRepository({ repositoryName: 'team/app' })
      await session.client({ credentials }).createRepository({ repositoryName: 'team/other' })
      await session.client({ region: 'eu-north-1' }).createRepository({ repositoryName: 'team/elsewhere' })
      const isCreated = ({ detail }: EventEnvelope) => detail.eventName === 'CreateRepository'
      const named = (events: readonly EventEnvelope[]) =>
        events.map(({ account, region, detail: { requestParameters } }) => [account, region, requestParameters])
      const seen = named(await own.wait(isCreated))
      assert.deepEqual(seen, [[server.account, server.region, { repositoryName: 'team/app' }]])
      assert.deepEqual(named(await foreign.wait(isCreated)), [
        ['222222222222', server.region, { repositoryName: 'team/other' }],
      ])
    })

    test('a restore, a preview and a run of a policy are events of the service, and in the audit trail', async (t) => {
      const stage = await openRetentionStage(t, await url())
      const { server, metadata, ecr, push, repository, move, clock, done } = stage
      const name = await repository('INHERITED')
      const [one, two] = [image({ seed: '1' }), image({ seed: '2' })]
      await push(name, one, 'v1')
      await push(name, two)
      const events = await openEvents(server, { clock })
      const storageClass = (targetStorageClass: 'ARCHIVE' | 'STANDARD') =>
        ecr().updateImageStorageClass({ repositoryName: name, imageId: { imageTag: 'v1' }, targetStorageClass })
      await storageClass('ARCHIVE')
      await storageClass('STANDARD')
      await storageClass('STANDARD')
      // Events are kept for a day.
      const first = await events.wait(service)
      move(2 * dayMs)
      const lifecyclePolicyText = JSON.stringify({
        rules: [
          {
            ...{ rulePriority: 1, action: { type: 'expire' } },
            selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 },
          },
        ],
      })
      await ecr().startLifecyclePolicyPreview({ repositoryName: name, lifecyclePolicyText })
      await until(async () => {
        const { status } = await ecr().getLifecyclePolicyPreview({ repositoryName: name })
        return status === 'COMPLETE'
      })
      await ecr().putLifecyclePolicy({ repositoryName: name, lifecyclePolicyText })
      move(2 * 60_000)
      await done('lifecycle-run')
      const found = [...first, ...(await events.wait(service, 2))]
      assert.deepEqual(
        found.map(({ source, detail }) => [source, detail.eventName, detail.eventType]),
        ['ImageActivationEvent', 'DryRunEvent', 'PolicyExecutionEvent'].map((each) => [
          'aws.ecr',
          each,
          'AwsServiceEvent',
        ]),
      )
      const [activation, dryRun, executed] = found.map(({ detail }) => detail.serviceEventDetails)
      assert.deepEqual(activation, {
        ...{ repositoryName: name, imageDigest: one.digest, targetStorageClass: 'STANDARD' },
        ...{ result: 'SUCCESS', imageStatus: 'ACTIVE' },
      })
      assert.deepEqual(dryRun, executed)
      assert.equal(JSON.stringify(executed).includes(two.digest), true)
      const trail = await metadata.reader
        .selectFrom('audit_event')
        .select('name')
        .where('request_id', '=', '')
        .execute()
      assert.deepEqual(trail.map((row) => row.name).sort(), [
        'DryRunEvent',
        'ImageActivationEvent',
        'PolicyExecutionEvent',
      ])
    })

    test('a run of a policy is an event of our own that counts what it did', async (t) => {
      const { server, ecr, push, repository, move, clock, done } = await openRetentionStage(t, await url())
      const name = await repository('INHERITED')
      for (const seed of ['1', '2', '3']) await push(name, image({ seed }))
      const events = await openEvents(server, { clock })
      const lifecyclePolicyText = JSON.stringify({
        rules: [
          {
            ...{ rulePriority: 1, action: { type: 'expire' } },
            selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
          },
        ],
      })
      await ecr().putLifecyclePolicy({ repositoryName: name, lifecyclePolicyText })
      move(2 * 60_000)
      await done('lifecycle-run')
      const [event = assert.fail()] = await events.wait(ofType('Lading Policy Action'))
      assert.deepEqual(essence(event), {
        ...{ type: 'Lading Policy Action', 'action-type': 'EXECUTED', 'repository-name': name },
        ...{ 'expired-images': 2, 'archived-images': 0, 'kept-images': 0 },
      })
    })

    test('the cache: an event for each image that came and for each failure', async () => {
      await using session = await startCacheSession({ database: await url() })
      const { hub, ecr, server, pass } = session
      let ahead = 0
      const events = await openEvents(server, { clock: () => Date.now() + ahead })
      const app = image({ layers: [1_000] })
      hub.content.push('library/app', app, 'latest')
      const repositoryName = 'hub/library/app'
      await ecr.createRepository({ repositoryName })
      hub.behaviour.down = true
      await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'latest' }] })
      hub.behaviour.down = false
      ahead += 60_000
      pass(60_000)
      await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'latest' }] })
      const cache = ofType('ECR Pull Through Cache Action')
      const found = await events.wait(cache, 2)
      const common = {
        ...{ type: 'ECR Pull Through Cache Action', 'rule-version': '1', 'ecr-repository-prefix': 'hub' },
        ...{
          'repository-name': repositoryName,
          'upstream-registry-url': 'registry-1.docker.io',
          'image-tag': 'latest',
        },
      }
      const byStatus = new Map(found.map((event) => [event.detail['sync-status'], event]))
      const [failed = assert.fail(), success = assert.fail()] = ['FAILED', 'SUCCESS'].map((each) => byStatus.get(each))
      const { 'failure-reason': reason, ...rest } = essence(failed) as Record<string, unknown>
      assert.equal(typeof reason, 'string')
      assert.deepEqual(rest, { ...common, 'sync-status': 'FAILED', 'failure-code': 'UpstreamUnavailable' })
      assert.deepEqual(essence(success), { ...common, 'sync-status': 'SUCCESS', 'image-digest': app.digest })
      assert.deepEqual(success.resources, [
        `arn:aws:ecr:${server.region}:${server.account}:repository/${repositoryName}`,
      ])
    })

    test('enhanced scanning: the repositories that are scanned otherwise than before', async () => {
      await using session = await startEcrSession({ database: await url() })
      const { server, ecr } = session
      const events = await openEvents(server)
      for (const repositoryName of ['prod/a', 'prod/b', 'test/a']) await ecr.createRepository({ repositoryName })
      const put = (scanType: 'BASIC' | 'ENHANCED', scanFrequency: 'SCAN_ON_PUSH' | 'CONTINUOUS_SCAN', filter: string) =>
        ecr.putRegistryScanningConfiguration({
          scanType,
          rules: [{ scanFrequency, repositoryFilters: [{ filter, filterType: 'WILDCARD' }] }],
        })
      await put('BASIC', 'SCAN_ON_PUSH', 'prod/*')
      await put('ENHANCED', 'CONTINUOUS_SCAN', 'prod/*')
      await put('ENHANCED', 'CONTINUOUS_SCAN', 'prod/*')
      await put('ENHANCED', 'CONTINUOUS_SCAN', '*')
      const found = await events.wait(ofType('ECR Scan Resource Change'), 2)
      const change = (name: string, previous: string) => ({
        ...{
          'repository-name': name,
          'repository-arn': `arn:aws:ecr:${server.region}:${server.account}:repository/${name}`,
        },
        ...{ 'scan-frequency': 'CONTINUOUS_SCAN', 'previous-scan-frequency': previous },
      })
      const expected = (repositories: readonly object[]) => ({
        ...{ type: 'ECR Scan Resource Change', 'action-type': 'SCAN_FREQUENCY_CHANGE', repositories },
        ...{ 'resource-type': 'REPOSITORY', 'scan-type': 'ENHANCED' },
      })
      assert.deepEqual(found.map(essence), [
        expected([change('prod/a', 'SCAN_ON_PUSH'), change('prod/b', 'SCAN_ON_PUSH')]),
        expected([change('test/a', 'MANUAL')]),
      ])
    })

    test('a damaged layer is an event of each registry that has it', async () => {
      let ahead = 0
      await using session = await startEcrSession({
        ...{ database: await url(), clock: () => Date.now() + ahead },
        environment: { LADING_SCRUB_MIB_PER_SECOND: '1000' },
      })
      const { server } = session
      const app = image({ layers: [50_000] })
      const repositoryName = await session.repository()
      await session.push(repositoryName, app, 'v1')
      const [, layer = assert.fail()] = app.blobs
      const events = await openEvents(server)
      const hex = layer.digest.replace('sha256:', '')
      const folder = join(server.dataDir, 'blobs')
      const file = (await readdir(folder, { recursive: true })).find((path) => path.endsWith(hex)) ?? assert.fail()
      const bytes = await readFile(join(folder, file))
      bytes.writeUInt8(bytes.readUInt8(40_000) ^ 128, 40_000)
      await writeFile(join(folder, file), bytes)
      ahead = 25 * 3_600_000
      await until(async () => (await readMetrics(server)).get('lading_quarantined_blobs') === 1)
      // Calls are signed for now.
      ahead = 0
      const [event = assert.fail()] = await events.wait(ofType('Lading Damage'))
      assert.deepEqual(essence(event), {
        ...{ type: 'Lading Damage', 'action-type': 'BLOB_QUARANTINED', digest: layer.digest, problem: 'content' },
        repositories: [{ 'repository-name': repositoryName, 'image-digests': [app.digest] }],
      })
    })
  }),
)
