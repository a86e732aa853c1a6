/** Another Lading replicates to this one by the distribution API: what arrives, what stays, and what the answers say. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openMetadata } from '#metadata/open.ts'
import { callAdmin } from '#test/support/admin.ts'
import { type AuditRecord, openAuditReader } from '#test/support/audit.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image, index } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { openPeer, type Peer, sourceRegion } from '#test/support/peer.ts'
import { pullWhole, pushImage } from '#test/support/push.ts'
import { until } from '#test/support/until.ts'
import { expect } from './world.ts'

const sourceAccount = '222222222222'
const otherAccount = '333333333333'

interface Move {
  readonly imageTag: string
  readonly previousImageDigest?: string
  readonly imageDigest?: string
  readonly cause: string
}

eachDatabase(({ dialect, url }) =>
  describe(`replication arrives, over ${dialect}`, () => {
    // Near the time of the clients, which sign.
    let now = Date.now()
    let database: string
    let session: EcrSession
    let peer: Peer
    let other: Peer
    let count = 0
    const name = () => `replicated/app-${++count}`

    before(async () => {
      database = await url()
      session = await startEcrSession({ database, clock: () => now })
      const { server, ecr } = session
      const Principal = { AWS: [sourceAccount, otherAccount].map((account) => `arn:aws:iam::${account}:root`) }
      const Action = ['ecr:ReplicateImage', 'ecr:CreateRepository']
      const statement = { Effect: 'Allow', Principal, Action, Resource: '*' }
      const [one, two] = [await server.addAccount(sourceAccount), await server.addAccount(otherAccount)]
      await ecr.putRegistryPolicy({ policyText: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) })
      peer = await openPeer(server, one)
      other = await openPeer(server, two)
    })
    after(async () => {
      await peer[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
      await session[Symbol.asyncDispose]()
    })

    async function movesOf(repositoryName: string) {
      const { server } = session
      const { body } = await callAdmin<{ tagMoves: Move[] }>(server, server.credentials, 'ListTagMoves', {
        repositoryName,
      })
      return body.tagMoves.map(({ imageTag, previousImageDigest, imageDigest, cause }) => [
        ...[imageTag, previousImageDigest, imageDigest, cause],
      ])
    }
    async function tagOf(repositoryName: string, imageTag: string) {
      const { imageDetails = [] } = await session.ecr.describeImages({ repositoryName, imageIds: [{ imageTag }] })
      return imageDetails[0]?.imageDigest
    }

    test('an index arrives with its children in a repository that a template or the defaults make', async () => {
      await session.ecr.createRepositoryCreationTemplate({
        ...{ prefix: 'templated', appliedFor: ['REPLICATION'], imageTagMutability: 'IMMUTABLE' },
      })
      const all = index({ children: [image({ seed: 'amd' }), image({ seed: 'arm' })] })
      await using client = await openOciClient(session.server)
      for (const [repository, mutability] of [
        [`templated/${name()}`, 'IMMUTABLE'],
        [name(), 'MUTABLE'],
      ] as const) {
        const { headers } = await peer.replicate(repository, all, { tag: 'v1' })
        assert.equal(headers['lading-tag'], 'moved')
        assert.equal(await pullWhole(client.registry, repository, 'v1'), all.digest)
        const { repositories = [] } = await session.ecr.describeRepositories({ repositoryNames: [repository] })
        assert.equal(repositories[0]?.imageTagMutability, mutability)
        assert.deepEqual(await movesOf(repository), [['v1', undefined, all.digest, 'REPLICATION']])
      }
    })

    test('HEAD makes no repository, and says what is here, archived, absent and deleted', async () => {
      const repository = name()
      const [kept, gone] = [image({ seed: `kept ${count}` }), image({ seed: `gone ${count}` })]
      const head = async (reference: string) => {
        const { status, headers, body } = await peer.call('HEAD', `/v2/${repository}/manifests/${reference}`)
        assert.equal(body.length, 0)
        return [status, headers['lading-image'], headers['docker-content-digest']]
      }
      assert.deepEqual(await head('v1'), [404, undefined, undefined])
      await peer.replicate(repository, kept, { tag: 'v1' })
      await peer.replicate(repository, gone, { tag: 'v2' })
      assert.deepEqual(await head('v1'), [200, undefined, kept.digest])
      assert.deepEqual(await head('v3'), [404, undefined, undefined])

      await session.ecr.updateImageStorageClass({
        ...{ repositoryName: repository, imageId: { imageTag: 'v1' }, targetStorageClass: 'ARCHIVE' },
      })
      assert.deepEqual(await head('v1'), [200, 'archived', kept.digest])
      assert.deepEqual(await head(kept.digest), [200, 'archived', kept.digest])
      await session.ecr.batchDeleteImage({ repositoryName: repository, imageIds: [{ imageDigest: gone.digest }] })
      assert.deepEqual(await head('v2'), [404, 'deleted', undefined])
      assert.deepEqual(await head(gone.digest), [404, 'deleted', undefined])

      expect(await peer.putManifest(repository, kept), 201)
      assert.deepEqual(await head('v1'), [200, undefined, kept.digest])
      await session.ecr.deleteRepository({ repositoryName: repository, force: true })
      assert.deepEqual(await head(kept.digest), [404, 'deleted', undefined])
    })

    test('a registry without a recycle bin knows by its replicas what it deleted', async () => {
      const { server } = session
      const put = (days: number) =>
        callAdmin(server, server.credentials, 'PutRetentionSettings', { recycleBinDays: days })
      const repository = name()
      const app = image({ seed: `binless ${count}` })
      await peer.replicate(repository, app)
      assert.equal((await put(0)).status, 200)
      await session.ecr.batchDeleteImage({ repositoryName: repository, imageIds: [{ imageDigest: app.digest }] })
      assert.equal((await put(7)).status, 200)
      const { headers } = await peer.call('HEAD', `/v2/${repository}/manifests/${app.digest}`)
      assert.equal(headers['lading-image'], 'deleted')
    })

    test('the later of two pushes of a tag wins, whichever arrives first', async () => {
      for (const [offset, outcome] of [
        [-5_000, 'conflict'],
        [5_000, 'moved'],
      ] as const) {
        const pushedAt = now + offset
        const repositoryName = await session.repository()
        const [here, there] = [image({ seed: `here ${outcome}` }), image({ seed: `there ${outcome}` })]
        await session.push(repositoryName, here, 'latest')
        now += 10_000
        const { headers } = await peer.replicate(repositoryName, there, { tag: 'latest', pushedAt })
        assert.equal(headers['lading-tag'], outcome)
        const [winner, loser] = outcome === 'moved' ? [there, here] : [here, there]
        assert.equal(await tagOf(repositoryName, 'latest'), winner.digest)
        assert.deepEqual(await movesOf(repositoryName), [
          ['latest', loser.digest, winner.digest, 'CONFLICT'],
          ['latest', undefined, here.digest, 'PUSH'],
        ])
        const again = await peer.putManifest(repositoryName, there, { tag: 'latest', pushedAt })
        assert.equal(again.headers['lading-tag'], outcome === 'moved' ? 'unchanged' : 'conflict')
        assert.equal((await movesOf(repositoryName)).length, 2)
        const { imageIds = [] } = await session.ecr.listImages({ repositoryName })
        assert.deepEqual(new Set(imageIds.map(({ imageDigest }) => imageDigest)), new Set([here.digest, there.digest]))
      }
    })

    test('a client that replaces what came from a source with a clock ahead counts as later, here and at the source', async () => {
      const destinations = [{ region: 'ap-south-2', registryId: session.server.account }]
      await session.ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } })
      const repositoryName = name()
      const [there, here] = [image({ seed: 'ahead there' }), image({ seed: 'ahead here' })]
      const pushedAt = now + 60_000
      await peer.replicate(repositoryName, there, { tag: 'latest', pushedAt })
      now += 3_000
      await session.push(repositoryName, here, 'latest')
      const again = await peer.putManifest(repositoryName, there, { tag: 'latest', pushedAt })
      assert.equal(again.headers['lading-tag'], 'conflict')
      assert.equal(await tagOf(repositoryName, 'latest'), here.digest)
      const metadata = await openMetadata(database, assert.fail)
      const findCopied = () =>
        metadata.reader
          .selectFrom('tag')
          .innerJoin('repository', 'repository.id', 'tag.repository_id')
          .select(['tag.digest', 'tag.source_pushed_at'])
          .where('repository.region', '=', 'ap-south-2')
          .where('repository.name', '=', repositoryName)
          .executeTakeFirst()
      await until(async () => (await findCopied()) !== undefined)
      assert.deepEqual(await findCopied(), { digest: here.digest, source_pushed_at: pushedAt + 1 })
      await metadata.close()
      await session.ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [] } })
    })

    test('an origin says no time that is still to come', async () => {
      const { server } = session
      const repositoryName = name()
      const app = image({ seed: 'from the future' })
      await peer.replicate(repositoryName, app, { tag: 'v1', pushedAt: 999_999_999_999_999 })
      const { body } = await callAdmin<{ pushedAt: number }>(server, server.credentials, 'DescribeImageOrigin', {
        ...{ repositoryName, imageTag: 'v1' },
      })
      assert.ok(body.pushedAt * 1_000 <= now, String(body.pushedAt))
    })

    test('two registries that push a tag in one millisecond point it to the same image', async () => {
      const [one, two] = [image({ seed: 'equal one' }), image({ seed: 'equal two' })]
      const winner = one.digest > two.digest ? one : two
      for (const [local, replicated] of [
        [one, two],
        [two, one],
      ] as const) {
        const repositoryName = await session.repository()
        const pushedAt = now
        await session.push(repositoryName, local, 'latest')
        await peer.replicate(repositoryName, replicated, { tag: 'latest', pushedAt })
        assert.equal(await tagOf(repositoryName, 'latest'), winner.digest)
      }
    })

    test('pushes of both sides at once end as if one had come after the other', async () => {
      const repositoryName = await session.repository()
      const [here, there] = [image({ seed: 'at once here' }), image({ seed: 'at once there' })]
      await peer.replicate(repositoryName, there)
      await session.push(repositoryName, here)
      await using client = await openOciClient(session.server)
      const [, { headers }] = await Promise.all([
        pushImage(client.registry, repositoryName, here, 'latest'),
        peer.putManifest(repositoryName, there, { tag: 'latest', pushedAt: now - 1 }),
      ])
      assert.equal(await tagOf(repositoryName, 'latest'), here.digest)
      const causes = (await movesOf(repositoryName)).map(([, , , cause]) => cause)
      assert.deepEqual(causes, headers['lading-tag'] === 'conflict' ? ['CONFLICT', 'PUSH'] : ['PUSH', 'REPLICATION'])
    })

    test('an immutable tag that is taken stays, and the image comes without it', async () => {
      const repositoryName = await session.repository({ imageTagMutability: 'IMMUTABLE' })
      const [here, there] = [image({ seed: 'fixed' }), image({ seed: 'late' })]
      await session.push(repositoryName, here, 'v1')
      const { headers } = await peer.replicate(repositoryName, there, { tag: 'v1', pushedAt: now + 60_000 })
      assert.equal(headers['lading-tag'], 'immutable')
      assert.equal(await tagOf(repositoryName, 'v1'), here.digest)
      expect(await peer.call('HEAD', `/v2/${repositoryName}/manifests/${there.digest}`), 200)
    })

    test('a broken upload goes on where it broke', async () => {
      const repository = name()
      const app = image({ seed: 'resumed', layers: [100_000] })
      const blob = app.blobs.find(({ bytes }) => bytes.length >= 100_000)
      assert.ok(blob !== undefined)
      const { headers } = expect(await peer.call('POST', `/v2/${repository}/blobs/uploads/`), 202)
      const upload = String(headers.location)
      const part = (start: number, end: number) => ({
        headers: { 'content-range': `${start}-${end - 1}` },
        body: blob.bytes.subarray(start, end),
      })
      expect(await peer.call('PATCH', upload, part(0, 40_000)), 202)
      const asked = expect(await peer.call('GET', upload), 204)
      assert.equal(asked.headers.range, '0-39999')
      expect(await peer.call('PATCH', upload, part(40_000, blob.bytes.length)), 202)
      expect(await peer.call('PUT', `${upload}?digest=${blob.digest}`), 201)
      expect(await peer.call('HEAD', `/v2/${repository}/blobs/${blob.digest}`), 200)
      const cancelled = expect(await peer.call('POST', `/v2/${repository}/blobs/uploads/`), 202)
      expect(await peer.call('DELETE', String(cancelled.headers.location)), 204)
    })

    test('a blob is mounted from where an image of the same account needs it, and from nowhere else', async () => {
      const app = image({ seed: 'mounted', layers: [1_000] })
      const [blob] = app.blobs
      assert.ok(blob !== undefined)
      const [replicated, local] = [name(), await session.repository()]
      await peer.replicate(replicated, app)
      await session.push(local, app)
      const to = name()
      const mount = (by: Peer, from: string) =>
        by.call('POST', `/v2/${to}/blobs/uploads/?mount=${blob.digest}&from=${from}`)
      expect(await peer.call('HEAD', `/v2/${to}/blobs/${blob.digest}`), 404)
      expect(await mount(other, replicated), 202)
      expect(await mount(peer, local), 202)
      await session.ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' })
      expect(await mount(peer, local), 202)
      await session.ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'DISABLED' })
      expect(await peer.call('HEAD', `/v2/${to}/blobs/${blob.digest}`), 404)
      expect(await mount(peer, replicated), 201)
      expect(await peer.call('HEAD', `/v2/${to}/blobs/${blob.digest}`), 200)
    })

    test('a header that names no other registry, or no time, is refused before anything is stored', async () => {
      const repository = name()
      const app = image({ seed: 'refused' })
      const put = (headers: Readonly<Record<string, string | undefined>>) =>
        peer.call('PUT', `/v2/${repository}/manifests/v1`, {
          headers: { 'content-type': app.mediaType, 'lading-pushed-at': '1', ...headers },
          body: app.bytes,
        })
      expect(await put({ 'lading-source-region': 'no region!' }), 400, 'NAME_INVALID')
      expect(await put({ 'lading-source-region': '' }), 400, 'NAME_INVALID')
      for (const time of [undefined, '', '-1', 'soon', '1e3', '9'.repeat(20)]) {
        expect(await put({ 'lading-pushed-at': time }), 400, 'UNSUPPORTED')
      }
      await using own = await openPeer(session.server, session.server.credentials, { region: session.server.region })
      const { message } = expect(await own.call('POST', `/v2/${repository}/blobs/uploads/`), 400, 'UNSUPPORTED')
      assert.match(message, /'Lading-Source-Region' must be the region of another registry/)
      expect(await peer.call('HEAD', `/v2/${repository}/manifests/v1`), 404)
    })

    test('an account replicates between its own regions', async () => {
      await using own = await openPeer(session.server, session.server.credentials)
      const repository = name()
      const app = image({ seed: 'own region' })
      assert.equal((await own.replicate(repository, app, { tag: 'v1' })).headers['lading-tag'], 'moved')
    })

    test('a replica is not replicated on, neither when it arrives nor when it is restored', async () => {
      const region = 'ap-south-1'
      const destinations = [{ region, registryId: session.server.account }]
      const setRules = (rules: object[]) =>
        session.ecr.putReplicationConfiguration({
          replicationConfiguration: { rules: rules as { destinations: [] }[] },
        })
      await setRules([{ destinations }])
      const repositoryName = name()
      const [app, own] = [image({ seed: 'not onwards' }), image({ seed: 'onwards' })]
      await peer.replicate(repositoryName, app, { tag: 'v1' })
      await session.push(repositoryName, own, 'v2')
      for (const targetStorageClass of ['ARCHIVE', 'STANDARD'] as const) {
        await session.ecr.updateImageStorageClass({ repositoryName, imageId: { imageTag: 'v1' }, targetStorageClass })
      }
      const statusesOf = async (imageTag: string) => {
        const asked = { repositoryName, imageId: { imageTag } }
        return (await session.ecr.describeImageReplicationStatus(asked)).replicationStatuses?.map(
          ({ region }) => region,
        )
      }
      assert.deepEqual(await statusesOf('v1'), [])
      assert.deepEqual(await statusesOf('v2'), [region])
      await setRules([])
    })

    test('what arrives makes the events of a replication, of a push and of a conflict, and nothing else', async () => {
      const repositoryName = name()
      const [here, there] = [image({ seed: 'event here' }), image({ seed: 'event there' })]
      await peer.replicate(repositoryName, there)
      expect(await peer.putManifest(repositoryName, there, { tag: 'v1', pushedAt: now - 5_000 }), 201)
      await session.push(repositoryName, here, 'v1')
      expect(await peer.putManifest(repositoryName, there, { tag: 'v1', pushedAt: now - 1_000 }), 201)
      const metadata = await openMetadata(database, assert.fail)
      const rows = await metadata.reader.selectFrom('event').selectAll().orderBy('id').execute()
      await metadata.close()
      const events = rows
        .map((row) => ({ ...row, detail: JSON.parse(row.detail) }))
        .filter(({ detail }) => detail['repository-name'] === repositoryName)
      assert.deepEqual(
        events.map(({ detail_type, detail }) => [detail_type, detail['action-type'], detail['image-tag']]),
        [
          ['ECR Image Action', 'PUSH', undefined],
          ['ECR Replication Action', 'REPLICATE', undefined],
          ['ECR Image Action', 'PUSH', 'v1'],
          ['ECR Replication Action', 'REPLICATE', 'v1'],
          ['Lading Tag Action', 'MOVED', 'v1'],
          ['ECR Image Action', 'PUSH', 'v1'],
          ['Lading Tag Action', 'TAG_CONFLICT', 'v1'],
        ],
      )
      const { account, region } = session.server
      const [, , , replicated, , , conflict] = events
      const { detail, source, resources } = replicated ?? {}
      assert.deepEqual(
        [replicated?.account, replicated?.region, source, resources],
        [account, region, 'aws.ecr', `["arn:aws:ecr:${region}:${account}:repository/${repositoryName}"]`],
      )
      assert.deepEqual(detail, {
        ...{ result: 'SUCCESS', 'repository-name': repositoryName, 'image-digest': there.digest },
        ...{ 'source-account': sourceAccount, 'action-type': 'REPLICATE', 'source-region': sourceRegion },
        'image-tag': 'v1',
      })
      assert.deepEqual(conflict?.detail, {
        ...{ 'action-type': 'TAG_CONFLICT', 'repository-name': repositoryName, 'image-tag': 'v1' },
        ...{ 'image-digest': here.digest, 'other-image-digest': there.digest },
        ...{ 'source-account': sourceAccount, 'source-region': sourceRegion },
        'principal-arn': `arn:aws:iam::${sourceAccount}:root`,
      })
    })

    test('a repository without the image that a manifest refers to refuses it, as any push', async () => {
      const repository = name()
      const app = image({ seed: 'incomplete' })
      expect(await peer.call('POST', `/v2/${repository}/blobs/uploads/`), 202)
      expect(await peer.putManifest(repository, app), 400, 'MANIFEST_BLOB_UNKNOWN')
    })

    test('the audit trail has one ReplicateImage for an image, and the creation of its repository', async () => {
      const repository = name()
      const app = image({ seed: 'audited' })
      await peer.replicate(repository, app, { tag: 'v1' })
      using reader = openAuditReader(session.server)
      const found = async (value: string): Promise<AuditRecord[]> => {
        const query = { LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: value }] }
        let records: AuditRecord[] = []
        await until(async () => {
          const all = await reader.records(query)
          records = all.filter(({ requestParameters }) => requestParameters?.repositoryName === repository)
          return records.length > 0
        })
        return records
      }
      const source = { sourceRegistryId: sourceAccount, sourceRegion }
      const place = { registryId: session.server.account, repositoryName: repository }
      const [replicated, ...others] = await found('ReplicateImage')
      assert.deepEqual(others, [])
      const { imageManifestMediaType, ...parameters } = replicated?.requestParameters ?? {}
      assert.equal(imageManifestMediaType, app.mediaType)
      assert.deepEqual(parameters, { ...place, imageTag: 'v1', ...source })
      assert.equal(replicated?.userIdentity.accountId, sourceAccount)
      const [created] = await found('CreateRepository')
      assert.deepEqual(created?.requestParameters, { ...place, ...source })
      const { Events = [] } = await reader.client.lookupEvents({
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CompleteLayerUpload' }],
      })
      assert.equal(Events.filter(({ CloudTrailEvent }) => CloudTrailEvent?.includes(repository)).length, 0)
    })
  }),
)
