/** Why a request is allowed or denied: by whom, by which statement, and afterwards by the id that a denied pull shows. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { STS } from '@aws-sdk/client-sts'
import type { ExplainRequestResponse, ExplainResponse } from '#admin/model.ts'
import { callAdmin } from '#test/support/admin.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { type Credentials, startServer } from '#test/support/server.ts'

interface Failed {
  readonly __type: string
  readonly message: string
}

const statement = (Effect: 'Allow' | 'Deny', Action: string | string[], more: object = {}) => ({
  ...{ Effect, Action, Resource: '*', ...more },
})
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })

async function world(t: TestContext, databases: Databases) {
  const server = await startServer({ database: await databases.url() })
  t.after(() => server.stop())
  const open = <Client extends { destroy(): void }>(client: Client) => {
    t.after(() => client.destroy())
    return client
  }
  const options = (credentials: Credentials) => ({ endpoint: server.url, region: server.region, credentials })
  const iam = open(new IAM(options(server.credentials)))
  const ecr = open(new ECR(options(server.credentials)))
  await ecr.createRepository({ repositoryName: 'team/app' })
  return {
    server,
    iam,
    ecr,
    sts: (credentials: Credentials) => open(new STS(options(credentials))),
    repository: `arn:aws:ecr:${server.region}:${server.account}:repository/team/app`,
    arn: (path: string) => `arn:aws:iam::${server.account}:${path}`,
    async user(UserName: string, ...statements: object[]): Promise<Credentials> {
      await iam.createUser({ UserName })
      if (statements.length > 0) {
        await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: document(...statements) })
      }
      const { AccessKey } = await iam.createAccessKey({ UserName })
      return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    },
    async explain(principal: string, action: string, resource: string, more: object = {}) {
      const input = { principal, action, resource, ...more }
      const { status, body } = await callAdmin<ExplainResponse>(server, server.credentials, 'Explain', input)
      assert.equal(status, 200, JSON.stringify(body))
      return body.explanation
    },
  }
}

eachDatabase((databases) => {
  describe(`explaining access, ${databases.dialect}`, () => {
    test('an allowance cites its statement, a denial that which denies, and a gap what nearly filled it', async (t) => {
      const { iam, user, explain, repository, arn } = await world(t, databases)
      const fromOffice = { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }
      const pull = { ...statement('Allow', 'ecr:BatchGetImage'), Sid: 'Pull' }
      const { accessKeyId } = await user(
        ...(['ann', pull, statement('Deny', 'ecr:BatchDeleteImage')] as const),
        statement('Allow', 'ecr:PutImage', fromOffice),
      )
      for (const principal of [arn('user/ann'), accessKeyId]) {
        const allowed = await explain(principal, 'ecr:BatchGetImage', repository)
        assert.equal(allowed.allowed, true)
        assert.equal(
          allowed.reason,
          `Allowed: statement 1 (Pull) of the identity-based policy own of user ann allows ecr:BatchGetImage on ${repository}.`,
        )
        assert.deepEqual(allowed.statements, [
          {
            ...{
              policyType: 'identity-based policy',
              policy: 'own of user ann',
              index: 0,
              sid: 'Pull',
              effect: 'Allow',
            },
            ...{ text: JSON.stringify(pull), outcome: 'APPLIES', decisive: true, conditionKeys: [] },
          },
        ])
      }
      const denied = await explain(arn('user/ann'), 'ecr:BatchDeleteImage', repository)
      assert.equal(denied.allowed, false)
      assert.match(denied.reason, /^Denied: statement 2 of the identity-based policy own of user ann denies /)

      const missing = await explain(arn('user/ann'), 'ecr:PutImage', repository)
      assert.equal(missing.allowed, false)
      assert.equal(
        missing.reason,
        `Denied: no identity-based policy allows ecr:PutImage on ${repository}. Statement 3 of own of user ann would, but its conditions do not hold: aws:sourceip is 127.0.0.1.`,
      )
      assert.deepEqual(missing.statements[0]?.conditionKeys, [{ key: 'aws:sourceip', values: ['127.0.0.1'] }])
      const context = [{ key: 'aws:SourceIp', values: ['10.1.2.3'] }]
      assert.equal((await explain(arn('user/ann'), 'ecr:PutImage', repository, { context })).allowed, true)
      await iam.createGroup({ GroupName: 'ops' })
      await iam.addUserToGroup({ GroupName: 'ops', UserName: 'ann' })
      await iam.putGroupPolicy({
        GroupName: 'ops',
        PolicyName: 'push',
        PolicyDocument: document(statement('Allow', 'ecr:PutImage')),
      })
      assert.match((await explain(arn('user/ann'), 'ecr:PutImage', repository)).reason, /push of group ops allows/)
    })

    test('it answers as the request itself is answered, for the root, a user, a role and its session', async (t) => {
      const { server, iam, user, sts, explain, repository, arn } = await world(t, databases)
      const ann = await user('ann', statement('Allow', '*'))
      await iam.createRole({
        RoleName: 'deploy',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Principal: { AWS: arn('user/ann') }, Action: 'sts:AssumeRole' },
        }),
      })
      await iam.putRolePolicy({
        RoleName: 'deploy',
        PolicyName: 'own',
        PolicyDocument: document(statement('Allow', 'ecr:*')),
      })
      const RoleArn = arn('role/deploy')
      const Policy = document(statement('Allow', 'ecr:ListImages'))
      await sts(ann).assumeRole({ RoleArn, RoleSessionName: 'ci', Policy })
      const session = `arn:aws:sts::${server.account}:assumed-role/deploy/ci`
      const answers = [
        [arn('root'), 'ecr:PutImage', repository, true],
        [RoleArn, 'ecr:PutImage', repository, true],
        [session, 'ecr:ListImages', repository, true],
        [session, 'ecr:PutImage', repository, false],
        [arn('user/ann'), 'sts:AssumeRole', RoleArn, true],
      ] as const
      for (const [principal, action, resource, expected] of answers) {
        const { allowed, reason } = await explain(principal, action, resource)
        assert.equal(allowed, expected, reason)
      }
    })

    test('simulate-principal-policy is the same answer in AWS’s shape', async (t) => {
      const { iam, user, repository, arn } = await world(t, databases)
      await user('ann', statement('Allow', 'ecr:PutImage'), statement('Deny', 'ecr:BatchDeleteImage'))
      const PolicySourceArn = arn('user/ann')
      const ActionNames = ['ecr:PutImage', 'ecr:BatchDeleteImage', 'ecr:ListImages']
      const { EvaluationResults = [] } = await iam.simulatePrincipalPolicy({
        ...{ PolicySourceArn, ActionNames, ResourceArns: [repository] },
      })
      const decisions = EvaluationResults.map(({ EvalDecision }) => EvalDecision)
      assert.deepEqual(decisions, ['allowed', 'explicitDeny', 'implicitDeny'])
      const [allowed, denied] = EvaluationResults
      // The text of the policy has no blanks: its list opens at column 37.
      const matched = {
        ...{ SourcePolicyId: 'user_ann_own', SourcePolicyType: 'IAM Policy' },
        StartPosition: { Line: 1, Column: 38 },
        EndPosition: { Line: 1, Column: 95 },
      }
      const found = { MatchedStatements: [matched], MissingContextValues: [] }
      assert.deepEqual(allowed, {
        ...{ EvalActionName: 'ecr:PutImage', EvalResourceName: repository, EvalDecision: 'allowed', ...found },
        ...{ OrganizationsDecisionDetail: { AllowedByOrganizations: true }, EvalDecisionDetails: {} },
        ResourceSpecificResults: [{ EvalResourceName: repository, EvalResourceDecision: 'allowed', ...found }],
      })
      assert.deepEqual(denied?.MatchedStatements?.[0]?.StartPosition, matched.EndPosition)
      assert.deepEqual(denied?.ResourceSpecificResults?.[0]?.EvalResourceDecision, 'explicitDeny')
      const { EvaluationResults: [anywhere] = [] } = await iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames })
      assert.equal(anywhere?.ResourceSpecificResults, undefined)
      const refused = iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames, ResourcePolicy: '{}' })
      await assert.rejects(refused, { name: 'InvalidInputException' })
      const ContextEntries = [
        { ContextKeyName: 'aws:UserAgent', ContextKeyType: 'string' as const, ContextKeyValues: ['x'.repeat(2_048)] },
      ]
      const busy = iam.simulatePrincipalPolicy({ PolicySourceArn, ActionNames, ContextEntries })
      await assert.rejects(busy, { name: 'InvalidInputException' })
      for (const [source, name, message] of [
        [arn('user/a/bob'), 'NoSuchEntityException', 'The user with name bob cannot be found.'],
        [arn('group/ops'), 'NoSuchEntityException', 'The group with name ops cannot be found.'],
        [arn('role/none'), 'NoSuchEntityException', 'The role with name none cannot be found.'],
        [arn('policy/none'), 'InvalidInputException', /^Invalid Entity Arn: .* does not clearly define entity type/],
        ['arn:aws:iam::111111111111:user/ann', 'InvalidInputException', /^Invalid Policy Source Arn: .* 111111111111$/],
      ] as const) {
        await assert.rejects(iam.simulatePrincipalPolicy({ PolicySourceArn: source, ActionNames }), { name, message })
      }
    })

    test('a group is simulated and explained by its own policies alone', async (t) => {
      const { iam, user, explain, repository, arn } = await world(t, databases)
      await user('ann', statement('Allow', 'ecr:ListImages'))
      const { Policy } = await iam.createPolicy({
        ...{ PolicyName: 'push', Path: '/ci/' },
        PolicyDocument: document(statement('Allow', 'ecr:PutImage')),
      })
      await iam.createGroup({ GroupName: 'ops', Path: '/team/' })
      await iam.addUserToGroup({ GroupName: 'ops', UserName: 'ann' })
      await iam.attachGroupPolicy({ GroupName: 'ops', PolicyArn: Policy?.Arn })
      await iam.putGroupPolicy({
        ...{ GroupName: 'ops', PolicyName: 'no' },
        PolicyDocument: document(statement('Deny', 'ecr:BatchDeleteImage')),
      })
      const { EvaluationResults = [] } = await iam.simulatePrincipalPolicy({
        PolicySourceArn: arn('group/team/ops'),
        ActionNames: ['ecr:PutImage', 'ecr:BatchDeleteImage', 'ecr:ListImages'],
        ResourceArns: [repository],
      })
      assert.deepEqual(
        EvaluationResults.map(({ EvalDecision, MatchedStatements }) => [
          EvalDecision,
          MatchedStatements?.map(({ SourcePolicyId }) => SourcePolicyId),
        ]),
        [
          ['allowed', ['push']],
          ['explicitDeny', ['group_ops_no']],
          ['implicitDeny', []],
        ],
      )
      assert.equal((await explain(arn('group/team/ops'), 'ecr:PutImage', repository)).allowed, true)
    })

    test('the id that a denied pull shows tells why it was denied, and whether it would be now', async (t) => {
      const { server, iam, user, repository } = await world(t, databases)
      const ann = await user('ann', statement('Allow', 'ecr:GetAuthorizationToken'))
      await using client = await openOciClient(server, { credentials: ann })
      const { message } = await client.call('GET', '/v2/team/app/manifests/v1', { headers: { 'user-agent': 'docker' } })
      const [, requestId = ''] = / \(request id: (\S+)\)$/.exec(message) ?? []
      const ask = async () => {
        for (;;) {
          const input = { requestId }
          const answer = await callAdmin<ExplainRequestResponse>(server, server.credentials, 'ExplainRequest', input)
          if (answer.status === 200) return answer.body
          await setTimeout(50)
        }
      }
      const { denied, now } = await ask()
      assert.equal(`${denied.message} (request id: ${requestId})`, message)
      assert.deepEqual(
        [denied.action, denied.resource, denied.accessKeyId, denied.userAgent, denied.sourceIp],
        ['ecr:BatchGetImage', repository, ann.accessKeyId, 'docker', '127.0.0.1'],
      )
      assert.equal(now?.reason, `Denied: no identity-based policy allows ecr:BatchGetImage on ${repository}.`)
      const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
      await iam.attachUserPolicy({ UserName: 'ann', PolicyArn })
      const later = await ask()
      assert.equal(later.denied.message, denied.message)
      assert.equal(later.now?.allowed, true)
      assert.match(later.now.reason, /AmazonEC2ContainerRegistryReadOnly allows/)
    })

    test('a role that was denied is explained with what was said for it', async (t) => {
      const { server, iam, user, sts, arn } = await world(t, databases)
      const ann = await user('ann', statement('Allow', 'sts:AssumeRole'))
      const trust = (externalId: string) =>
        JSON.stringify({
          Version: '2012-10-17',
          Statement: {
            ...{ Effect: 'Allow', Principal: { AWS: arn('user/ann') }, Action: 'sts:AssumeRole' },
            Condition: { StringEquals: { 'sts:ExternalId': externalId } },
          },
        })
      await iam.createRole({ RoleName: 'deploy', AssumeRolePolicyDocument: trust('theirs') })
      const request = { RoleArn: arn('role/deploy'), RoleSessionName: 'ci', ExternalId: 'ours' }
      const [outcome] = await Promise.allSettled([sts(ann).assumeRole(request)])
      assert(outcome.status === 'rejected')
      const requestId: string = outcome.reason.$metadata.requestId
      const ask = async () => {
        for (;;) {
          const input = { requestId }
          const answer = await callAdmin<ExplainRequestResponse>(server, server.credentials, 'ExplainRequest', input)
          if (answer.status === 200) return answer.body.now
          await setTimeout(50)
        }
      }
      assert.match((await ask())?.reason ?? '', /its conditions do not hold: sts:externalid is ours\.$/)
      await iam.updateAssumeRolePolicy({ RoleName: 'deploy', PolicyDocument: trust('ours') })
      assert.equal((await ask())?.allowed, true)
    })

    test('conditions do not find out the tags of another account, and no context keeps the server busy', async (t) => {
      const { server, ecr, repository } = await world(t, databases)
      await ecr.tagResource({ resourceArn: repository, tags: [{ Key: 'team', Value: 'secret' }] })
      const credentials = await server.addAccount('111111111111')
      const iam = new IAM({ endpoint: server.url, region: server.region, credentials })
      t.after(() => iam.destroy())
      await iam.createUser({ UserName: 'ann' })
      const explain = async (context: object[] = []) => {
        const principal = 'arn:aws:iam::111111111111:user/ann'
        const input = { principal, action: 'ecr:PutImage', resource: repository, context }
        return (await callAdmin<ExplainResponse & Failed>(server, credentials, 'Explain', input)).body
      }
      const answers = new Set<string>()
      for (const guess of ['secret', 'other']) {
        await iam.putUserPolicy({
          ...{ UserName: 'ann', PolicyName: 'own' },
          PolicyDocument: document(
            statement('Allow', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': guess } } }),
          ),
        })
        answers.add((await explain()).explanation.reason)
      }
      const [reason, ...others] = answers
      assert.deepEqual(others, [])
      assert.match(reason ?? '', /^Denied: .* would, but its conditions do not hold\. What account/)
      const given = [{ key: 'aws:ResourceTag/team', values: ['other'] }]
      assert.equal((await explain(given)).explanation.allowed, true)
      const long = [{ key: 'aws:UserAgent', values: ['x'.repeat(1_500), 'y'.repeat(1_500)] }]
      assert.equal((await explain(long)).__type, 'ContextTooLongException')
    })

    test('nobody is told of another account, nor anything without permission', async (t) => {
      const { server, ecr, user, repository, arn } = await world(t, databases)
      const credentials = await server.addAccount('111111111111')
      const policyText = JSON.stringify({
        Version: '2012-10-17',
        Statement: { Sid: 'not yours', Effect: 'Deny', Principal: '*', Action: 'ecr:*' },
      })
      await ecr.setRepositoryPolicy({ repositoryName: 'team/app', policyText, force: true })
      const explain = (principal: string, as: Credentials = credentials) =>
        callAdmin<ExplainResponse & Failed>(server, as, 'Explain', {
          principal,
          action: 'ecr:PutImage',
          resource: repository,
        })
      for (const principal of [arn('root'), arn('user/none')]) {
        assert.equal((await explain(principal)).body.__type, 'NotYoursException')
      }
      const foreignKey = await explain(server.credentials.accessKeyId)
      assert.equal(foreignKey.body.__type, 'PrincipalNotFoundException')
      const { body } = await explain('arn:aws:iam::111111111111:root')
      assert.deepEqual(body.explanation.statements, [])
      assert.match(body.explanation.reason, /What account 000000000000 says .* is not shown here/)
      const denied = await explain(arn('user/ann'), await user('ann'))
      assert.equal(denied.body.__type, 'AccessDeniedException')
      const unknown = await callAdmin<Failed>(server, credentials, 'ExplainRequest', { requestId: 'none' })
      assert.equal(unknown.body.__type, 'RequestNotFoundException')
    })
  })
})
