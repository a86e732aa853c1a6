/** What the audit trail holds: who did what to which image and how it ended, on both planes, and never a secret. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { paginateLookupEvents } from '@aws-sdk/client-cloudtrail'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { STS } from '@aws-sdk/client-sts'
import { openAuditReader } from '#test/support/audit.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { image, layer } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { type Credentials, startServer } from '#test/support/server.ts'

async function world(t: TestContext, databases: Databases, environment: Record<string, string> = {}) {
  const server = await startServer({ database: await databases.url(), environment })
  t.after(() => server.stop())
  const options = (credentials: Credentials) => ({
    ...{ endpoint: server.url, region: server.region, credentials, maxAttempts: 1 },
  })
  const open = <Client extends { destroy(): void }>(client: Client) => {
    t.after(() => client.destroy())
    return client
  }
  const iam = open(new IAM(options(server.credentials)))
  const audit = openAuditReader(server)
  t.after(() => audit[Symbol.dispose]())
  return {
    server,
    iam,
    audit,
    ecr: (credentials: Credentials = server.credentials) => open(new ECR(options(credentials))),
    sts: (credentials: Credentials = server.credentials) => open(new STS(options(credentials))),
    async user(UserName: string, ...Statement: object[]): Promise<Credentials> {
      await iam.createUser({ UserName })
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
      if (Statement.length > 0) await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    },
  }
}

const logIn = { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' }
const byName = (AttributeValue: string) => ({
  LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue }],
})

eachDatabase((databases) => {
  describe(`the audit trail, ${databases.dialect}`, () => {
    test('a push, a pull and a deletion by docker are recorded as the actions of ECR that they are', async (t) => {
      const { server, audit, user } = await world(t, databases)
      const credentials = await user('ci', { Effect: 'Allow', Action: 'ecr:*', Resource: '*' })
      await using client = await openOciClient(server, { credentials })
      await client.createRepository('team/app')
      const pushed = image({ layers: [layer({ a: 'content' })] })
      await pushImage(client.registry, 'team/app', pushed, 'v1')
      const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
      const headers = { accept, 'user-agent': 'docker/28.0' }
      for (let pull = 0; pull < 3; pull++) await client.call('GET', '/v2/team/app/manifests/v1', { headers })
      await client.call('DELETE', '/v2/team/app/manifests/v1')
      await client.call('GET', '/v2/team/app/manifests/v1', { headers })

      const [put] = await audit.records(byName('PutImage'))
      const arn = `arn:aws:iam::${server.account}:user/ci`
      assert.equal(put?.userIdentity.type, 'IAMUser')
      assert.equal(put.userIdentity.arn, arn)
      assert.equal(put.userIdentity.accessKeyId, credentials.accessKeyId)
      assert.equal(put.sourceIPAddress, '127.0.0.1')
      assert.deepEqual(put.requestParameters, {
        registryId: server.account,
        repositoryName: 'team/app',
        imageTag: 'v1',
        imageManifestMediaType: pushed.mediaType,
      })
      const image1 = { registryId: server.account, repositoryName: 'team/app' }
      assert.deepEqual(put.responseElements, {
        image: { ...image1, imageId: { imageDigest: pushed.digest, imageTag: 'v1' } },
      })
      assert.equal(put.readOnly, false)
      assert.deepEqual(
        put.resources?.map(({ ARN }) => ARN),
        [`arn:aws:ecr:us-east-1:${server.account}:repository/team/app`],
      )

      const pulls = await audit.records(byName('BatchGetImage'), 2)
      const [missed, pulled] = [pulls[0], pulls.at(-1)]
      assert.deepEqual(pulled?.requestParameters, {
        ...image1,
        imageIds: [{ imageTag: 'v1' }],
        acceptedMediaTypes: accept.split(', '),
      })
      assert.equal(pulled.userAgent, 'docker/28.0')
      assert.equal(pulled.responseElements, null)
      const counted = pulls.filter(({ errorCode }) => errorCode === undefined)
      assert.equal(
        counted.reduce((sum, { additionalEventData }) => sum + (additionalEventData?.count ?? 1), 0),
        3,
      )
      assert.equal(missed?.errorCode, 'ImageNotFoundException')
      const [deleted] = await audit.records(byName('BatchDeleteImage'))
      assert.deepEqual(deleted?.requestParameters, { ...image1, imageIds: [{ imageTag: 'v1' }] })
      const [layerPushed] = await audit.records(byName('CompleteLayerUpload'))
      assert.equal(layerPushed?.requestParameters?.repositoryName, 'team/app')
    })

    test('a denied pull tells a request id, under which the record is', async (t) => {
      const { server, audit, user, ecr } = await world(t, databases)
      await ecr().createRepository({ repositoryName: 'team/app' })
      await using client = await openOciClient(server, { credentials: await user('ann', logIn) })
      for (const path of ['manifests/v1', 'tags/list', `blobs/sha256:${'0'.repeat(64)}`]) {
        const answer = await client.call('GET', `/v2/team/app/${path}`)
        const [, id] = / \(request id: ([0-9a-f-]{36})\)$/.exec(answer.message) ?? []
        assert.equal(answer.error, 'DENIED')
        assert.equal(id, answer.headers['x-amzn-requestid'])
        const user = { LookupAttributes: [{ AttributeKey: 'Username' as const, AttributeValue: 'ann' }] }
        for (;;) {
          const found = (await audit.records(user)).find(({ requestID }) => requestID === id)
          if (found === undefined) continue
          assert.equal(found.errorCode, 'AccessDenied')
          assert.equal(`${found.errorMessage} (request id: ${id})`, answer.message)
          break
        }
      }
    })

    test('a pull from another account is in the trails of both', async (t) => {
      const { server, audit, ecr } = await world(t, databases)
      await ecr().createRepository({ repositoryName: 'team/app' })
      const credentials = await server.addAccount('111111111111')
      const { name } = await refusalOf(
        ecr(credentials).batchGetImage({
          registryId: server.account,
          repositoryName: 'team/app',
          imageIds: [{ imageTag: 'v1' }],
        }),
      )
      assert.equal(name, 'AccessDeniedException')
      using theirs = openAuditReader(server, credentials)
      const [here] = await audit.records(byName('BatchGetImage'))
      const [there] = await theirs.records(byName('BatchGetImage'))
      assert.equal(here?.requestID, there?.requestID)
      assert.deepEqual([here?.recipientAccountId, there?.recipientAccountId], [server.account, '111111111111'])
      const names = (await theirs.records()).map(({ recipientAccountId }) => recipientAccountId)
      assert.deepEqual([...new Set(names)], ['111111111111'])
    })

    test('nobody finds in it a secret that was made', async (t) => {
      const { server, iam, audit, ecr, sts, user } = await world(t, databases)
      const { accessKeyId, secretAccessKey } = await user('ann', { Effect: 'Allow', Action: '*', Resource: '*' })
      const AssumeRolePolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Principal: { AWS: server.account }, Action: 'sts:AssumeRole' },
      })
      await iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument })
      const ann = sts({ accessKeyId, secretAccessKey })
      const RoleArn = `arn:aws:iam::${server.account}:role/deploy`
      const TokenCode = 'a-code-that-is-too-long'
      await refusalOf(ann.assumeRole({ RoleArn, RoleSessionName: 'ci', TokenCode }))
      const assumed = await ann.assumeRole({ RoleArn, RoleSessionName: 'ci' })
      const session = await ann.getSessionToken({})
      const web = {
        RoleArn,
        RoleSessionName: 'ci',
        WebIdentityToken: 'eyJhbGciOiJSUzI1NiJ9.secret-of-the-provider.sig',
      }
      await refusalOf(sts().assumeRoleWithWebIdentity(web))
      const repositoryName = 'team/app'
      await ecr().createRepository({ repositoryName })
      const { authorizationData } = await ecr().getAuthorizationToken({})
      const { uploadId } = await ecr().initiateLayerUpload({ repositoryName })
      const bytes = Buffer.from('what the layer holds')
      await ecr().uploadLayerPart({
        repositoryName,
        uploadId,
        partFirstByte: 0,
        partLastByte: bytes.length - 1,
        layerPartBlob: bytes,
      })
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      await ecr().completeLayerUpload({ repositoryName, uploadId, layerDigests: [digest] })
      await using client = await openOciClient(server)
      const pushed = image({ layers: [layer({ a: 'content' })] })
      await pushImage(client.registry, repositoryName, pushed)
      const layerDigest = pushed.blobs[0]?.digest
      const { downloadUrl = '' } = await ecr().getDownloadUrlForLayer({ repositoryName, layerDigest })

      const token = authorizationData?.[0]?.authorizationToken ?? ''
      const secrets = [
        ...[secretAccessKey, server.credentials.secretAccessKey, web.WebIdentityToken, 'secret-of-the-provider'],
        ...[assumed, session].flatMap(({ Credentials: made }) => [made?.SecretAccessKey, made?.SessionToken]),
        ...[token, Buffer.from(token, 'base64').toString().slice('AWS:'.length), bytes.toString('base64')],
        ...[new URL(downloadUrl).search, TokenCode],
      ]
      await audit.records(byName('GetDownloadUrlForLayer'))
      const whole = JSON.stringify(await audit.records({}, 10))
      for (const secret of secrets) {
        assert(secret !== undefined && secret.length > 10)
        assert(!whole.includes(secret), `a record holds ${secret}`)
      }
      const [made] = await audit.records(byName('CreateAccessKey'))
      const hidden = 'HIDDEN_DUE_TO_SECURITY_REASONS'
      const key = made?.responseElements?.accessKey as Record<string, string> | undefined
      assert.deepEqual([key?.accessKeyId, key?.secretAccessKey], [accessKeyId, hidden])
      const [refused] = await audit.records(byName('AssumeRoleWithWebIdentity'))
      assert.equal(refused?.userIdentity.type, 'WebIdentityUser')
      assert.equal(refused.requestParameters?.webIdentityToken, hidden)
      const [role] = await audit.records(byName('AssumeRole'))
      const credentials = role?.responseElements?.credentials as Record<string, string> | undefined
      assert.equal(credentials?.accessKeyId, assumed.Credentials?.AccessKeyId)
    })

    test('whoever may looks events up, by each attribute and page by page, newest first', async (t) => {
      const { server, audit, ecr, user } = await world(t, databases)
      const credentials = await user('ann', { Effect: 'Allow', Action: 'cloudtrail:LookupEvents', Resource: '*' })
      for (let count = 0; count < 7; count++) await ecr().createRepository({ repositoryName: `team/app-${count}` })
      await audit.records(byName('CreateRepository'), 7)

      using reader = openAuditReader(server, credentials)
      const names: string[] = []
      for await (const { Events = [] } of paginateLookupEvents(
        { client: reader.client, pageSize: 3 },
        byName('CreateRepository'),
      )) {
        assert(Events.length <= 3)
        names.push(...Events.map(({ Resources }) => Resources?.[0]?.ResourceName ?? ''))
      }
      assert.deepEqual(
        names,
        Array.from({ length: 7 }, (_, index) => `team/app-${6 - index}`),
      )

      const [event] = (await reader.client.lookupEvents(byName('CreateRepository'))).Events ?? []
      const attributes = {
        EventId: event?.EventId,
        EventName: 'CreateRepository',
        ReadOnly: 'false',
        Username: 'root',
        ResourceType: 'AWS::ECR::Repository',
        ResourceName: 'team/app-6',
        EventSource: 'ecr.amazonaws.com',
        AccessKeyId: server.credentials.accessKeyId,
      } as const
      for (const [AttributeKey, AttributeValue] of Object.entries(attributes)) {
        // The keys of a literal object are its type's keys.
        const LookupAttributes = [{ AttributeKey: AttributeKey as keyof typeof attributes, AttributeValue }]
        const found = await reader.client.lookupEvents({ LookupAttributes })
        const ids = (found.Events ?? []).map(({ EventId }) => EventId)
        assert(ids.includes(event?.EventId), AttributeKey)
      }
      const ofItsSecond = { StartTime: event?.EventTime, EndTime: event?.EventTime, ...byName('CreateRepository') }
      const { Events: inIt = [] } = await reader.client.lookupEvents(ofItsSecond)
      assert(inIt.some(({ EventId }) => EventId === event?.EventId))
      const refused = await refusalOf(reader.client.lookupEvents({ MaxResults: 51 }))
      assert.equal(refused.name, 'InvalidMaxResultsException')
      const [StartTime, EndTime] = [new Date(2_000), new Date(1_000)]
      assert.equal(
        (await refusalOf(reader.client.lookupEvents({ StartTime, EndTime }))).name,
        'InvalidTimeRangeException',
      )
      assert.deepEqual((await reader.client.lookupEvents({ EndTime })).Events, [])
      const NextToken = 'bm90IG9uZQ'
      assert.equal((await refusalOf(reader.client.lookupEvents({ NextToken }))).name, 'InvalidNextTokenException')
      using stranger = openAuditReader(server, await user('bob'))
      assert.equal((await refusalOf(stranger.client.lookupEvents({}))).name, 'AccessDeniedException')
    })
  })
})
