/** Who may replicate to a registry, and what a principal that may replicate cannot do: by real policies over HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AuditRecord, openAuditReader } from '#test/support/audit.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { openPeer, type Peer } from '#test/support/peer.ts'
import { pushImage } from '#test/support/push.ts'
import { until } from '#test/support/until.ts'
import { type Statement, startWorld, type World } from './world.ts'

const token: Statement = { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' }
const allow = (...Action: string[]): Statement => ({ Effect: 'Allow', Action, Resource: '*' })
const repositories = (pattern: string) => `arn:aws:ecr:*:*:repository/${pattern}`
const to = (account: string) => ({ AWS: `arn:aws:iam::${account}:root` })

const push = [
  'BatchCheckLayerAvailability',
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'PutImage',
]
const pushActions = push.map((name) => `ecr:${name}`)
const app = image({ seed: 'who may replicate' })

eachDatabaseInCi(({ dialect, url }) => {
  describe(`who may replicate, over ${dialect}`, () => {
    let world: World
    let own: Peer
    let foreign: Peer
    before(async () => {
      world = await startWorld({ database: await url() })
      for (const actor of [world.own, world.foreign]) await actor.may(token)
      own = await openPeer(world.server, world.own.credentials)
      foreign = await openPeer(world.server, world.foreign.credentials)
    })
    after(async () => {
      await own[Symbol.asyncDispose]()
      await foreign[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    })

    /** Each request that replicates, as status and the action that a denial names. */
    async function tryAll(peer: Peer, repository = 'team/app') {
      const blob = `/v2/${repository}/blobs/${app.digest}`
      const upload = `/v2/${repository}/blobs/uploads/00000000-0000-4000-8000-000000000000`
      const answers = [
        await peer.call('HEAD', `/v2/${repository}/manifests/v1`),
        await peer.call('HEAD', blob),
        await peer.call('POST', `/v2/${repository}/blobs/uploads/`),
        await peer.call('PATCH', upload, { body: 'x' }),
        await peer.call('GET', upload),
        await peer.call('PUT', `${upload}?digest=${app.digest}`),
        await peer.call('DELETE', upload),
        await peer.putManifest(repository, app),
      ]
      return answers.map(({ status }) => status)
    }
    async function findRecord(event: string, wanted: (record: AuditRecord) => boolean): Promise<AuditRecord> {
      using reader = openAuditReader(world.server)
      let found: AuditRecord | undefined
      await until(async () => {
        const query = { LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: event }] }
        found = (await reader.records(query)).find(wanted)
        return found !== undefined
      })
      assert.ok(found !== undefined)
      return found
    }

    const denied = [403, 403, 403, 403, 403, 403, 403, 403]
    const allowed = [200, 404, 202, 404, 404, 404, 404, 400]

    test('in one account the policy of the user decides, and rights to push are none to replicate', async () => {
      await world.own.may(token, allow(...pushActions, 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'))
      assert.deepEqual(await tryAll(own), denied)
      const { message } = await own.putManifest('team/app', app)
      assert.match(
        message,
        /alice is not authorized to perform: ecr:ReplicateImage on resource: .*repository\/team\/app/,
      )

      await world.own.may(token, allow('ecr:ReplicateImage'))
      assert.deepEqual(await tryAll(own), allowed)
      await world.own.may(token, { ...allow('ecr:ReplicateImage'), Resource: repositories('other') })
      assert.deepEqual(await tryAll(own), denied)
    })

    test('from another account the registry policy and the policy of the user decide, and no repository policy', async () => {
      const { account } = world.foreign
      const statement: Statement = { ...allow('ecr:ReplicateImage'), Principal: to(account) }
      await world.foreign.may(token, allow('ecr:ReplicateImage'))
      assert.deepEqual(await tryAll(foreign), denied)
      await world.repositoryPolicy({ Effect: 'Allow', Action: 'ecr:*', Principal: to(account) })
      assert.deepEqual(await tryAll(foreign), denied)
      await world.repositoryPolicy()

      for (const scope of ['V1', 'V2']) {
        await world.root.putAccountSetting({ name: 'REGISTRY_POLICY_SCOPE', value: scope })
        await world.registryPolicy(statement)
        assert.deepEqual(await tryAll(foreign), allowed, scope)
        await world.foreign.may(token)
        assert.deepEqual(await tryAll(foreign), denied, scope)
        await world.foreign.may(token, allow('ecr:ReplicateImage'))
        await world.registryPolicy({ ...statement, Principal: to(world.server.account) })
        assert.deepEqual(await tryAll(foreign), denied, scope)
        await world.registryPolicy({ ...statement, Resource: repositories('other') })
        assert.deepEqual(await tryAll(foreign), denied, scope)
        await world.registryPolicy()
      }
      await world.registryPolicy(statement, { ...statement, Effect: 'Deny', Resource: repositories('team/*') })
      const { message } = await foreign.putManifest('team/app', app)
      assert.match(message, /with an explicit deny/)
      await world.registryPolicy()
    })

    test('who may replicate reads no content and changes nothing in another way', async () => {
      await world.own.may(token, allow('ecr:ReplicateImage', 'ecr:CreateRepository'))
      await using client = await openOciClient(world.server)
      await pushImage(client.registry, 'team/app', app, 'v2')
      const [blob] = app.blobs
      assert.ok(blob !== undefined)
      const refused: readonly (readonly [string, string])[] = [
        ['GET', '/v2/team/app/manifests/v2'],
        ['GET', `/v2/team/app/blobs/${blob.digest}`],
        ['DELETE', '/v2/team/app/manifests/v2'],
        ['DELETE', `/v2/team/app/blobs/${blob.digest}`],
        ['GET', '/v2/team/app/tags/list'],
        ['GET', `/v2/team/app/referrers/${app.digest}`],
        ['GET', '/v2/_catalog'],
      ]
      for (const [method, path] of refused) {
        assert.equal((await own.call(method, path)).status, 403, `${method} ${path}`)
        assert.equal((await own.plainly(method, path)).status, 403, `${method} ${path}`)
      }
      for (const path of ['manifests/v2', `blobs/${blob.digest}`]) {
        const { status, body } = await own.call('HEAD', `/v2/team/app/${path}`)
        assert.deepEqual([status, body.length], [200, 0])
        assert.equal((await own.plainly('HEAD', `/v2/team/app/${path}`)).status, 403)
      }
      assert.equal((await own.plainly('POST', '/v2/team/app/blobs/uploads/')).status, 403)
    })

    test('a blob is not taken from a repository that the principal may not replicate to', async () => {
      await world.own.may(token, allow('ecr:ReplicateImage', 'ecr:CreateRepository'))
      await own.replicate('secret/app', app)
      await own.replicate('open/app', image({ seed: 'another' }))
      const [blob] = app.blobs
      assert.ok(blob !== undefined)
      const mount = () => own.call('POST', `/v2/open/app/blobs/uploads/?mount=${blob.digest}&from=secret/app`)
      await world.own.may(token, { ...allow('ecr:ReplicateImage'), Resource: repositories('open/*') })
      assert.equal((await mount()).status, 202)
      await world.own.may(token, allow('ecr:ReplicateImage'))
      assert.equal((await mount()).status, 201)
    })

    test('a repository that is missing takes the right to create it, which the denial names', async () => {
      await world.own.may(token, allow('ecr:ReplicateImage'))
      assert.deepEqual((await tryAll(own, 'fresh/app')).slice(0, 3), [404, 404, 403])
      const { message } = await own.call('POST', '/v2/fresh/app/blobs/uploads/')
      assert.match(message, /ecr:CreateRepository on resource: .*repository\/fresh\/app/)
      await assert.rejects(world.root.describeRepositories({ repositoryNames: ['fresh/app'] }), {
        name: 'RepositoryNotFoundException',
      })
      await world.own.may(token, allow('ecr:ReplicateImage', 'ecr:CreateRepository'))
      assert.equal((await own.call('POST', '/v2/fresh/app/blobs/uploads/')).status, 202)
      await world.own.may(token, allow('ecr:ReplicateImage'))
      assert.equal((await own.replicate('fresh/app', app)).status, 201)
    })

    test('the account of the source is that of the caller, also where the request says another', async () => {
      const { account } = world.foreign
      const statement: Statement = { ...allow('ecr:ReplicateImage', 'ecr:CreateRepository'), Principal: to(account) }
      await world.registryPolicy(statement)
      await world.foreign.may(token, allow('ecr:ReplicateImage', 'ecr:CreateRepository'))
      const repository = 'claimed/app'
      const headers = { 'lading-source-account': world.server.account, 'lading-source-registry': world.server.account }
      assert.equal((await foreign.call('POST', `/v2/${repository}/blobs/uploads/`, { headers })).status, 202)
      const created = await findRecord(
        'CreateRepository',
        (record) => record.requestParameters?.repositoryName === repository,
      )
      assert.equal(created.requestParameters?.sourceRegistryId, account)
      await world.registryPolicy()
    })

    test('a caller without credentials replicates nothing', async () => {
      await using client = await openOciClient(world.server)
      const headers = { authorization: undefined, 'lading-source-region': 'eu-north-1' }
      for (const [method, path] of [
        ['HEAD', '/v2/team/app/manifests/v1'],
        ['POST', '/v2/team/app/blobs/uploads/'],
      ] as const) {
        const { status, headers: answered } = await client.call(method, path, { headers })
        assert.equal(status, 401)
        assert.match(String(answered['www-authenticate']), /^Basic /)
      }
    })

    test('a denial is recorded as one of ReplicateImage', async () => {
      await world.own.may(token)
      const { status } = await own.call('HEAD', '/v2/team/app/manifests/v1')
      assert.equal(status, 403)
      const record = await findRecord('ReplicateImage', ({ errorCode }) => errorCode === 'AccessDenied')
      assert.equal(record.requestParameters?.repositoryName, 'team/app')
    })
  })
})
