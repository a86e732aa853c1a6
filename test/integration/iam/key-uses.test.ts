/** When a key and a role were last used, as IAM tells it; written when the server stops at the latest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { STS } from '@aws-sdk/client-sts'
import { eachDatabase } from '#test/support/databases.ts'
import { startIamSession } from '#test/support/iam-session.ts'

eachDatabase(({ dialect, url }) => {
  test(`what a key was last used for is told, of a role's session too (${dialect})`, async () => {
    const database = await url()
    const UserName = 'ann'
    let keyId = ''
    {
      await using session = await startIamSession({ database })
      const { server, iam } = session
      await iam.createUser({ UserName })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      keyId = AccessKey?.AccessKeyId ?? ''
      const never = await iam.getAccessKeyLastUsed({ AccessKeyId: keyId })
      assert.equal(never.AccessKeyLastUsed?.ServiceName, 'N/A')
      const trust = { Effect: 'Allow', Principal: { AWS: server.account }, Action: 'sts:AssumeRole' }
      const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust })
      await iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument })
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: 'sts:*', Resource: '*' },
      })
      await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument })
      const credentials = { accessKeyId: keyId, secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
      const sts = new STS({ endpoint: server.url, region: 'eu-west-1', credentials })
      const RoleArn = `arn:aws:iam::${server.account}:role/deploy`
      const { Credentials } = await sts.assumeRole({ RoleArn, RoleSessionName: 'ci' })
      const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
      const temporary = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
      const ecr = new ECR({ endpoint: server.url, region: 'eu-west-1', credentials: temporary, maxAttempts: 1 })
      await assert.rejects(ecr.describeRepositories({}), { name: 'AccessDeniedException' })
      sts.destroy()
      ecr.destroy()
    }
    await using session = await startIamSession({ database })
    const { AccessKeyLastUsed: use } = await session.iam.getAccessKeyLastUsed({ AccessKeyId: keyId })
    assert.deepEqual([use?.ServiceName, use?.Region], ['sts', 'eu-west-1'])
    assert(use?.LastUsedDate !== undefined && Date.now() - use.LastUsedDate.getTime() < 60_000)
    const { Role } = await session.iam.getRole({ RoleName: 'deploy' })
    assert.equal(Role?.RoleLastUsed?.Region, 'eu-west-1')
  })
})
