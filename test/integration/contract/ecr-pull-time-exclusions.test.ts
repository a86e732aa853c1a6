/** Register-, Deregister- and ListPullTimeUpdateExclusions, by the AWS SDK, and whose pulls they are about. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { STS } from '@aws-sdk/client-sts'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { index } from '#test/support/images/build.ts'
import type { Credentials } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

const account = '000000000000'

eachDatabase(({ dialect, url }) => {
  describe(`pull time update exclusions by the SDK (${dialect})`, () => {
    let session: EcrSession
    const now = Date.now()
    before(async () => {
      const environment = { LADING_QUOTAS: 'pullTimeUpdateExclusions=3' }
      session = await startEcrSession({ database: await url(), environment, clock: () => now })
    })
    after(() => session[Symbol.asyncDispose]())

    const arnOf = (name: string) => `arn:aws:iam::${account}:role/${name}`
    const register = (principalArn: string) => answerOf(session.ecr.registerPullTimeUpdateExclusion({ principalArn }))
    const deregister = (principalArn: string) =>
      answerOf(session.ecr.deregisterPullTimeUpdateExclusion({ principalArn }))

    test('an exclusion is registered once, listed, and deregistered once, in its region', async () => {
      const principalArn = arnOf('path/to/scanner')
      assert.deepEqual(await register(principalArn), { principalArn, createdAt: new Date(now) })
      assert.deepEqual(await refusalOf(register(principalArn)), {
        name: 'ExclusionAlreadyExistsException',
        message: `The pull time update exclusion for principal '${principalArn}' already exists in the registry with id '${account}'`,
        status: 400,
      })
      const list = () => answerOf(session.ecr.listPullTimeUpdateExclusions({}))
      assert.deepEqual(await list(), { pullTimeUpdateExclusions: [principalArn] })
      const elsewhere = session.client({ region: 'eu-west-1' })
      assert.deepEqual(await answerOf(elsewhere.listPullTimeUpdateExclusions({})), { pullTimeUpdateExclusions: [] })

      assert.deepEqual(await deregister(principalArn), { principalArn })
      assert.deepEqual(await refusalOf(deregister(principalArn)), {
        name: 'ExclusionNotFoundException',
        message: `The pull time update exclusion for principal '${principalArn}' does not exist in the registry with id '${account}'`,
        status: 400,
      })
      assert.deepEqual(await list(), { pullTimeUpdateExclusions: [] })
    })

    test('there are no more than the quota, and pages of them join to the whole', async () => {
      const arns = ['a', 'b', 'c'].map(arnOf)
      for (const arn of arns.toReversed()) await register(arn)
      assert.deepEqual(await refusalOf(register(arnOf('d'))), {
        name: 'LimitExceededException',
        message: `The maximum number of pull time update exclusions, 3, has been reached in the registry with id '${account}'`,
        status: 400,
      })
      const first = await session.ecr.listPullTimeUpdateExclusions({ maxResults: 2 })
      const { nextToken } = first
      const second = await session.ecr.listPullTimeUpdateExclusions({ maxResults: 2, nextToken })
      assert.deepEqual(
        [first.pullTimeUpdateExclusions, second.pullTimeUpdateExclusions],
        [arns.slice(0, 2), ['c'].map(arnOf)],
      )
      assert.equal(second.nextToken, undefined)
      const nonsense = await refusalOf(session.ecr.listPullTimeUpdateExclusions({ nextToken: 'nonsense' }))
      assert.equal(nonsense.name, 'InvalidParameterException')
      for (const arn of arns) await deregister(arn)
    })

    test('of an excluded role no session leaves a time behind, on either plane', async (t) => {
      const { server, ecr } = session
      const { url: endpoint, region } = server
      const opened = <Client extends { destroy(): void }>(client: Client) => {
        t.after(() => client.destroy())
        return client
      }
      const options = (credentials: Credentials) => ({ endpoint, region, credentials, maxAttempts: 1 })
      const allow = (more: object) =>
        JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...more }] })
      const iam = opened(new IAM(options(server.credentials)))
      const [RoleName, UserName, PolicyName] = ['scanner', 'ann', 'own']
      const trust = allow({ Action: 'sts:AssumeRole', Principal: { AWS: account } })
      await iam.createRole({ RoleName, Path: '/ci/', AssumeRolePolicyDocument: trust })
      await iam.putRolePolicy({ RoleName, PolicyName, PolicyDocument: allow({ Action: 'ecr:*', Resource: '*' }) })
      await iam.createUser({ UserName })
      await iam.putUserPolicy({ UserName, PolicyName, PolicyDocument: allow({ Action: 'sts:*', Resource: '*' }) })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      assert(AccessKey?.AccessKeyId && AccessKey.SecretAccessKey)
      const ann = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
      const principalArn = arnOf('ci/scanner')
      const assumed = await opened(new STS(options(ann))).assumeRole({
        RoleArn: principalArn,
        RoleSessionName: 'nightly',
      })
      const { AccessKeyId, SecretAccessKey, SessionToken } = assumed.Credentials ?? {}
      assert(AccessKeyId && SecretAccessKey && SessionToken)
      const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
      const scanner = session.client({ credentials })
      await register(principalArn)

      const repositoryName = await session.repository()
      const image = index({ children: [] })
      const other = index({ children: [], annotations: { other: 'yes' } })
      await session.push(repositoryName, image, 'scanned')
      await session.push(repositoryName, other, 'pulled')
      await scanner.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'scanned' }] })
      const { authorizationData } = await scanner.getAuthorizationToken({})
      const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
      const pulled = await fetch(`${endpoint}/v2/${repositoryName}/manifests/scanned`, { headers: { authorization } })
      assert.equal(pulled.status, 200)
      // Pulls are written in batches: once a later one has been, those before it have too.
      await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'pulled' }] })
      const lastPull = async (imageTag: string) => {
        const { imageDetails } = await ecr.describeImages({ repositoryName, imageIds: [{ imageTag }] })
        return imageDetails?.[0]?.lastRecordedPullTime
      }
      await until(async () => (await lastPull('pulled')) !== undefined)
      assert.equal(await lastPull('scanned'), undefined)
      await deregister(principalArn)
    })

    test('only a user or a role can be excluded', async () => {
      await register(`arn:aws:iam::111122223333:user/ci`)
      for (const arn of [
        `arn:aws:iam::${account}:root`,
        `arn:aws:iam::${account}:group/admins`,
        `arn:aws:sts::${account}:assumed-role/scanner/session`,
        'scanner',
        `arn:aws:iam::${account}:role/${'x'.repeat(200)}`,
      ]) {
        for (const call of [register, deregister]) {
          const { name, message } = await refusalOf(call(arn))
          assert.equal(name, 'InvalidParameterException')
          assert.match(message, /^Invalid parameter at 'principalArn' failed to satisfy constraint: /)
        }
      }
    })
  })
})
