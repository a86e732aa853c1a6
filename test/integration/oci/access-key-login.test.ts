/** `LADING_ACCESS_KEY_LOGIN`: an access key in place of an authorization token, and the answers to what is none. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { STS } from '@aws-sdk/client-sts'
import { type AuditReader, openAuditReader } from '#test/support/audit.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { type OciClient, openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { type Credentials, type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { expect } from './world.ts'

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const basicOf = ({ accessKeyId, secretAccessKey }: Credentials) => basic(accessKeyId, secretAccessKey)
const readOnly = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'

test('without the setting an access key is refused, as any user but AWS', async () => {
  await using server = await startServer()
  await using client = await openOciClient(server)
  for (const authorization of [basicOf(server.credentials), basic('alice', 'password')]) {
    const answer = expect(await client.call('GET', '/v2/', { headers: { authorization } }), 401, 'UNAUTHORIZED')
    assert.match(answer.message, /the user name is AWS/)
  }
})

test('a secret is in no line of the log', async () => {
  await using folder = await temporaryFolder()
  const secret = 'a-secret-that-the-log-must-not-have'
  const key = ['--root-access-key-id', 'AKIALOGGED', '--root-secret-access-key', secret]
  await using server = startServeProcess([
    ...['--listen', '127.0.0.1:0', '--data-dir', folder.path, ...key],
    ...['--access-key-login', 'on', '--log', 'debug'],
  ])
  const url = await server.url()
  const statuses: number[] = []
  for (const password of [secret, `${secret}-of-another`]) {
    const headers = { authorization: basic('AKIALOGGED', password) }
    for (const path of ['/v2/', '/v2/team/app/tags/list'])
      statuses.push((await fetch(`${url}${path}`, { headers })).status)
  }
  assert.deepEqual(statuses, [200, 404, 401, 401])
  server.signal('SIGTERM')
  await server.exit
  assert.match(server.errors(), /AKIALOGGED|arn:aws:iam::000000000000:root/)
  assert.ok(!server.errors().includes(secret))
  assert.ok(!server.errors().includes(Buffer.from(secret).toString('base64').slice(0, 30)))
})

eachDatabaseInCi((databases) =>
  describe(`access keys as passwords, over ${databases.dialect}`, () => {
    const time = { ahead: 0 }
    let server: RunningServer
    let client: OciClient
    let iam: IAM
    let audit: AuditReader

    before(async () => {
      server = await startServer({
        database: await databases.url(),
        clock: () => Date.now() + time.ahead,
        environment: { LADING_ACCESS_KEY_LOGIN: 'on', LADING_DOMAIN: 'lading.test' },
      })
      client = await openOciClient(server)
      await client.createRepository('team/app')
      await pushImage(client.registry, 'team/app', image(), 'v1')
      iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
      audit = openAuditReader(server)
    })
    after(async () => {
      audit[Symbol.dispose]()
      iam.destroy()
      await client[Symbol.asyncDispose]()
      await server.stop()
    })

    const get = (path: string, authorization: string, headers: Readonly<Record<string, string>> = {}) =>
      client.call('GET', path, { headers: { authorization, ...headers } })

    async function user(UserName: string): Promise<Credentials> {
      await iam.createUser({ UserName })
      await iam.attachUserPolicy({ UserName, PolicyArn: readOnly })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    }

    test('a key signs its user in, who may do what its policies say', async () => {
      const key = await user('flux')
      expect(await get('/v2/', basicOf(key)), 200)
      expect(await get('/v2/team/app/manifests/v1', basicOf(key)), 200)
      const headers = { authorization: basicOf(key) }
      const denied = expect(await client.call('POST', '/v2/team/app/blobs/uploads/', { headers }), 403, 'DENIED')
      assert.match(denied.message, /user\/flux is not authorized to perform: ecr:InitiateLayerUpload/)
      const token = client.registry.authorization
      expect(await get('/v2/', token), 200)
    })

    test('at the host of a registry a key opens that registry, in any region', async () => {
      const key = await user('argo')
      const { port } = new URL(server.url)
      const hostOf = (region: string) => ({ host: `000000000000.dkr.ecr.${region}.lading.test:${port}` })
      expect(await get('/v2/team/app/tags/list', basicOf(key), hostOf('us-east-1')), 200)
      expect(await get('/v2/team/app/tags/list', basicOf(key), hostOf('eu-central-1')), 404, 'NAME_UNKNOWN')
    })

    test('a wrong secret, an unknown id and an inactive key have the very same answer', async () => {
      const key = await user('gone')
      await iam.updateAccessKey({ UserName: 'gone', AccessKeyId: key.accessKeyId, Status: 'Inactive' })
      const answers = []
      for (const authorization of [
        basic(server.credentials.accessKeyId, 'wrong'),
        basic('AKIAUNKNOWN', 'wrong'),
        basic("'; drop table account; --", 'wrong'),
        basic('', 'wrong'),
        basicOf(key),
      ]) {
        const { message, headers } = expect(await get('/v2/', authorization), 401, 'UNAUTHORIZED')
        answers.push([message, headers['www-authenticate']])
      }
      assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
      assert.match(answers[0]?.[0] ?? '', /no active access key has this user as its id .* docker login --username AWS/)
    })

    test('temporary credentials are refused, and told why', async () => {
      const sts = new STS({ endpoint: server.url, region: server.region, credentials: server.credentials })
      const { Credentials: session } = await sts.getSessionToken({})
      sts.destroy()
      const answer = await get('/v2/', basic(session?.AccessKeyId ?? '', session?.SecretAccessKey ?? ''))
      assert.match(expect(answer, 401, 'UNAUTHORIZED').message, /temporary credentials need a session token/)
      const unknown = expect(await get('/v2/', basic('ASIAUNKNOWN', 'wrong')), 401, 'UNAUTHORIZED')
      assert.equal(unknown.message, answer.message)
    })

    test('a deactivated key ends within ten seconds, and a replaced root secret too', async () => {
      const key = await user('leaked')
      expect(await get('/v2/', basicOf(key)), 200)
      await iam.updateAccessKey({ UserName: 'leaked', AccessKeyId: key.accessKeyId, Status: 'Inactive' })
      time.ahead += 10_000
      expect(await get('/v2/', basicOf(key)), 401, 'UNAUTHORIZED')
      await iam.updateAccessKey({ UserName: 'leaked', AccessKeyId: key.accessKeyId, Status: 'Active' })
      expect(await get('/v2/', basicOf(key)), 200)
      await iam.deleteAccessKey({ UserName: 'leaked', AccessKeyId: key.accessKeyId })
      time.ahead += 10_000
      expect(await get('/v2/', basicOf(key)), 401, 'UNAUTHORIZED')
    })

    test('a user that may not ask for a token may not sign in by key', async () => {
      const key = await user('denied')
      const deny = { Effect: 'Deny', Action: 'ecr:GetAuthorizationToken', Resource: '*' }
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [deny] })
      await iam.putUserPolicy({ UserName: 'denied', PolicyName: 'no-docker', PolicyDocument })
      for (const path of ['/v2/', '/v2/team/app/manifests/v1']) {
        const answer = expect(await get(path, basicOf(key)), 403, 'DENIED')
        assert.match(answer.message, /ecr:GetAuthorizationToken .* with an explicit deny in an identity-based policy/)
      }
    })

    test('what a key does is recorded as any other call, without its secret', async () => {
      const key = await user('watched')
      expect(await get('/v2/team/app/manifests/v1', basicOf(key)), 200)
      const byKey = { LookupAttributes: [{ AttributeKey: 'AccessKeyId' as const, AttributeValue: key.accessKeyId }] }
      const [record] = await audit.records(byKey)
      assert.deepEqual([record?.eventName, record?.userIdentity.userName], ['BatchGetImage', 'watched'])
      assert.ok(!JSON.stringify(record).includes(key.secretAccessKey))
    })

    test('guesses are throttled, here and on /metrics, and a key that is signed in goes on', async () => {
      const key = await user('target')
      expect(await get('/v2/', basicOf(key)), 200)
      const guess = (n: number) => get('/v2/', basic(key.accessKeyId, `guess-${n}`))
      const statuses = (await Promise.all(Array.from({ length: 20 }, (_, n) => guess(n)))).map(({ status }) => status)
      assert.deepEqual(
        [statuses.filter((each) => each === 401).length, statuses.filter((each) => each === 429).length],
        [10, 10],
      )
      const refused = expect(await guess(20), 429, 'TOOMANYREQUESTS')
      assert.match(refused.headers['retry-after'] ?? '', /^[1-6]\d?$/)
      expect(await get('/v2/', basicOf(key)), 200)
      const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: basicOf(key) } })
      assert.equal(metrics.status, 429)
      time.ahead += 60_000
      expect(await guess(21), 401, 'UNAUTHORIZED')
    })
  }),
)
