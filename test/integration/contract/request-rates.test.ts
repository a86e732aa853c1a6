/** The rate of requests of one principal: what each surface answers beyond it, and who it leaves alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { STS } from '@aws-sdk/client-sts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { type Credentials, startServer } from '#test/support/server.ts'

test('a principal beyond its rate is told to wait by each surface, and others are answered', async (t) => {
  const time = { now: Math.floor(Date.now() / 1_000) * 1_000 }
  const server = await startServer({ clock: () => time.now, environment: { LADING_REQUESTS_PER_SECOND: '2' } })
  t.after(() => server.stop())
  const opened = <Client extends { destroy(): void }>(client: Client) => {
    t.after(() => client.destroy())
    return client
  }
  const options = (credentials: Credentials) => ({
    ...{ endpoint: server.url, region: server.region, credentials, maxAttempts: 1 },
    systemClockOffset: time.now - Date.now(),
  })
  const iam = opened(new IAM(options(server.credentials)))
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
  })
  const user = async (UserName: string): Promise<Credentials> => {
    await iam.createUser({ UserName })
    await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument })
    const { AccessKey } = await iam.createAccessKey({ UserName })
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  }
  const [ann, bob] = [await user('ann'), await user('bob')]
  const client = await openOciClient(server, { credentials: ann })
  t.after(() => client[Symbol.asyncDispose]())
  // The token was one of twenty.
  for (let count = 0; count < 19; count++) assert.equal((await client.call('GET', '/v2/')).status, 200)

  const told = await client.call('GET', '/v2/')
  assert.deepEqual([told.status, told.error, told.headers['retry-after']], [429, 'TOOMANYREQUESTS', '1'])
  const throttled = { message: 'Rate exceeded', status: 400 }
  const refused = await refusalOf(opened(new ECR(options(ann))).describeRepositories({}))
  assert.deepEqual(refused, { name: 'ThrottlingException', ...throttled })
  const byQuery = { name: 'Throttling', ...throttled }
  assert.deepEqual(await refusalOf(opened(new STS(options(ann))).getCallerIdentity({})), byQuery)
  assert.deepEqual(await refusalOf(opened(new IAM(options(ann))).listUsers({})), byQuery)

  await opened(new STS(options(bob))).getCallerIdentity({})
  // Twenty at once are the others' alone: the root of the deployment has no rate.
  for (let count = 0; count < 30; count++) await iam.listUsers({})
  // That of another account has one.
  const other = opened(new STS(options(await server.addAccount('111111111111'))))
  for (let count = 0; count < 20; count++) await other.getCallerIdentity({})
  assert.deepEqual(await refusalOf(other.getCallerIdentity({})), byQuery)

  time.now += 1_000
  for (const status of [200, 200, 429]) assert.equal((await client.call('GET', '/v2/')).status, status)
  assert.equal((await readMetrics(server)).get('lading_throttled_requests_total'), 6)
})
