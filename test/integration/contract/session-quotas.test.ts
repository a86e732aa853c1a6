/** The quota of live sessions of one caller, by the AWS SDK: whichever operation opens them, and however a caller chains them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { STS } from '@aws-sdk/client-sts'
import { eachDatabase } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { startOidcIssuer } from '#test/support/oidc-issuer.ts'
import { type Credentials, startServer } from '#test/support/server.ts'

const full = {
  ...{ name: 'Throttling', status: 400 },
  message: 'Rate exceeded: the caller has 2 live sessions, which is its quota. Use one until it expires.',
}

eachDatabase((databases) =>
  describe(`quotas of sessions, ${databases.dialect}`, () => {
    test('GetSessionToken, AssumeRole and AssumeRoleWithWebIdentity open no more than the quota for one caller', async (t) => {
      const environment = { LADING_QUOTAS: 'sessionsPerPrincipal=2' }
      const server = await startServer({ database: await databases.url(), environment })
      t.after(() => server.stop())
      const issuer = await startOidcIssuer()
      t.after(() => issuer[Symbol.asyncDispose]())
      const options = { endpoint: server.url, region: server.region, maxAttempts: 1 }
      const opened = <Client extends { destroy(): void }>(client: Client) => {
        t.after(() => client.destroy())
        return client
      }
      const iam = opened(new IAM({ ...options, credentials: server.credentials }))
      const sts = (credentials: Credentials) => opened(new STS({ ...options, credentials }))
      const { OpenIDConnectProviderArn: Federated = '' } = await iam.createOpenIDConnectProvider({
        ...{ Url: issuer.url, ClientIDList: ['a-client'] },
      })
      const AssumeRolePolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: server.account }, Action: 'sts:AssumeRole' },
          { Effect: 'Allow', Principal: { Federated }, Action: 'sts:AssumeRoleWithWebIdentity' },
        ],
      })
      const { Role } = await iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument })
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' },
      })
      await iam.putRolePolicy({ RoleName: 'deploy', PolicyName: 'own', PolicyDocument })
      const role = { RoleArn: Role?.Arn, RoleSessionName: 'ci' }
      const user = async (UserName: string): Promise<Credentials> => {
        await iam.createUser({ UserName })
        await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument })
        const { AccessKey } = await iam.createAccessKey({ UserName })
        return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
      }

      const ann = sts(await user('ann'))
      await ann.getSessionToken({})
      const { Credentials: made } = await ann.assumeRole(role)
      assert.deepEqual(await refusalOf(ann.getSessionToken({})), full)
      assert.deepEqual(await refusalOf(ann.assumeRole(role)), full)
      // A session of the role opens further ones for the same caller.
      const chained = sts({
        ...{ accessKeyId: made?.AccessKeyId ?? '', secretAccessKey: made?.SecretAccessKey ?? '' },
        ...{ sessionToken: made?.SessionToken },
      })
      assert.deepEqual(await refusalOf(chained.assumeRole(role)), full)

      await sts(await user('bob')).assumeRole(role)
      const web = async (sub: string) => {
        const WebIdentityToken = await issuer.token({ sub })
        return ann.assumeRoleWithWebIdentity({ ...role, WebIdentityToken })
      }
      await web('repo:team/app')
      await web('repo:team/app')
      assert.deepEqual(await refusalOf(web('repo:team/app')), full)
      await web('repo:team/other')
    })
  }),
)
