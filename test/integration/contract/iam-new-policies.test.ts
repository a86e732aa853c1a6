/** What IAM and STS refuse of policies when they are written, and that an earlier version's policies still count. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { STS } from '@aws-sdk/client-sts'
import { startIamSession } from '#test/support/iam-session.ts'

const documentOf = (statement: object, version = '2012-10-17') =>
  JSON.stringify({ Version: version, Statement: [{ Effect: 'Allow', ...statement }] })
const allowing = (Resource: string) => documentOf({ Action: 'iam:GetUser', Resource })
const old = documentOf({ Action: 'ecr:*', Resource: '*' }, '2008-10-17')
const malformed = (message: string | RegExp) => ({ name: 'MalformedPolicyDocumentException', message })
/** The code, where the client knows no exception of it. */
const malformedAtSts = { name: /MalformedPolicyDocument/ }

describe('policies that are written', () => {
  test('a managed policy and each of its versions are of the later version of the language', async () => {
    await using session = await startIamSession()
    const { iam } = session
    const refusal = malformed('Policy document must be version 2012-10-17 or greater.')
    await assert.rejects(iam.createPolicy({ PolicyName: 'p', PolicyDocument: old }), refusal)
    const { Policy } = await iam.createPolicy({ PolicyName: 'p', PolicyDocument: allowing('*') })
    await assert.rejects(iam.createPolicyVersion({ PolicyArn: Policy?.Arn, PolicyDocument: old }), refusal)
    await iam.createUser({ UserName: 'ann' })
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'own', PolicyDocument: old })
  })

  test('resources that can never match are refused, wherever a policy is written', async () => {
    await using session = await startIamSession()
    const { iam, server } = session
    await iam.createUser({ UserName: 'ann' })
    await iam.createGroup({ GroupName: 'ops' })
    const AssumeRolePolicyDocument = documentOf({ Principal: { AWS: server.account }, Action: 'sts:AssumeRole' })
    const { Role } = await iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument })
    const PolicyDocument = allowing('arn:aws:ecr:us-east-1:1234repository/x')
    const refusal = malformed('The policy failed legacy parsing. See Statement[0].Resource.')
    await assert.rejects(iam.createPolicy({ PolicyName: 'p', PolicyDocument }), refusal)
    await assert.rejects(iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument }), refusal)
    await assert.rejects(iam.putGroupPolicy({ GroupName: 'ops', PolicyName: 'p', PolicyDocument }), refusal)
    await assert.rejects(iam.putRolePolicy({ RoleName: 'deploy', PolicyName: 'p', PolicyDocument }), refusal)

    await iam.putUserPolicy({
      ...{ UserName: 'ann', PolicyName: 'own' },
      PolicyDocument: documentOf({ Action: 'sts:AssumeRole', Resource: '*' }),
    })
    const { AccessKey } = await iam.createAccessKey({ UserName: 'ann' })
    const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    const sts = new STS({ endpoint: server.url, region: server.region, credentials })
    const role = { RoleArn: Role?.Arn ?? '', RoleSessionName: 'ci' }
    await sts.assumeRole({ ...role, Policy: allowing('*') })
    await assert.rejects(sts.assumeRole({ ...role, Policy: PolicyDocument }), (error: Error) => {
      assert.match(error.name, malformedAtSts.name)
      return true
    })
    sts.destroy()
  })

  test('a trust policy names actions of roles alone', async () => {
    await using session = await startIamSession()
    const { iam, server } = session
    const trusting = (Action: string) => documentOf({ Principal: { AWS: server.account }, Action })
    const refusal = malformed('AssumeRole policy may only specify STS AssumeRole actions.')
    await assert.rejects(
      iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument: trusting('sts:BadAssumeRole') }),
      refusal,
    )
    await iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument: trusting('sts:AssumeRole') })
    const PolicyDocument = trusting('sts:GetCallerIdentity')
    await assert.rejects(iam.updateAssumeRolePolicy({ RoleName: 'deploy', PolicyDocument }), refusal)
  })

  test('what an earlier version stored still counts', async () => {
    await using session = await startIamSession()
    const { iam, server, client } = session
    await iam.createUser({ UserName: 'ann' })
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'own', PolicyDocument: allowing('*') })
    const { AccessKey } = await iam.createAccessKey({ UserName: 'ann' })
    const stored = JSON.stringify({
      Statement: [
        { Effect: 'Allow', Action: 'iam:*', Resource: ['arn:aws:*:*:*:*', 'arn:aws:ecr::x'] },
        { Effect: 'Deny', Action: 'iam:GetUser', Resource: 'arn:aws:iam:us-east-1:x:y' },
      ],
    })
    const database = new DatabaseSync(join(server.dataDir, 'lading.db'))
    database.prepare('update inline_policy set document = ?').run(stored)
    database.close()
    const ann = client({
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    })
    assert.equal((await ann.getUser({ UserName: 'ann' })).User?.UserName, 'ann')
  })
})
