/** Policies that are slow to compare: they deny, say why, and leave other requests their turn. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import type { ExplainResponse } from '#admin/model.ts'
import { callAdmin } from '#test/support/admin.ts'
import { startServer } from '#test/support/server.ts'

const allow = { Effect: 'Allow', Action: '*', Resource: '*' }
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
/** As many patterns as a managed policy has room for. */
const patterns = Array.from({ length: 830 }, () => '*?z*')
const slow = document({ ...allow, Effect: 'Deny', Condition: { StringLike: { 'aws:UserAgent': patterns } } })
const longAgent = 'a'.repeat(1_024)

async function world(t: TestContext) {
  const server = await startServer()
  t.after(() => server.stop())
  const open = <Client extends { destroy(): void }>(client: Client) => {
    t.after(() => client.destroy())
    return client
  }
  const options = { endpoint: server.url, region: server.region, credentials: server.credentials }
  const iam = open(new IAM(options))
  await iam.createUser({ UserName: 'ann' })
  await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'own', PolicyDocument: document(allow) })
  for (const PolicyName of ['one', 'two', 'three', 'four', 'five', 'six']) {
    const { Policy } = await iam.createPolicy({ PolicyName, PolicyDocument: slow })
    await iam.attachUserPolicy({ UserName: 'ann', PolicyArn: Policy?.Arn })
  }
  const { AccessKey } = await iam.createAccessKey({ UserName: 'ann' })
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  return {
    ...{ server, iam, arn: `arn:aws:iam::${server.account}:user/ann` },
    ecrAs: (userAgent: string) => open(new ECR({ ...options, credentials, customUserAgent: userAgent })),
  }
}

const longContext = [
  { ContextKeyName: 'aws:UserAgent', ContextKeyType: 'string' as const, ContextKeyValues: ['a'.repeat(2_000)] },
]

describe('policies that take too many steps', () => {
  test('deny the requests that they are slow for, and no others', async (t) => {
    const { ecrAs } = await world(t)
    await ecrAs('short').createRepository({ repositoryName: 'team/app' })
    await assert.rejects(ecrAs(longAgent).describeRepositories({}), {
      name: 'AccessDeniedException',
      message: /ecr:DescribeRepositories on resource: .* because the policies take too many steps to evaluate$/,
    })
    await ecrAs('short').describeRepositories({})
  })

  test('are named by explanations and simulations', async (t) => {
    const { iam, server, arn } = await world(t)
    const { EvaluationResults: [result] = [] } = await iam.simulatePrincipalPolicy({
      ...{ PolicySourceArn: arn, ActionNames: ['ecr:PutImage'], ContextEntries: longContext },
    })
    assert.equal(result?.EvalDecision, 'explicitDeny')
    assert.match(
      result.MatchedStatements?.[0]?.SourcePolicyId ?? '',
      /^(?:one|two|three|four|five|six) \(the policies take too many steps to evaluate\)$/,
    )
    const { body } = await callAdmin<ExplainResponse>(server, server.credentials, 'Explain', {
      ...{ principal: arn, action: 'ecr:PutImage', resource: '*' },
      context: [{ key: 'aws:UserAgent', values: ['a'.repeat(2_000)] }],
    })
    const { allowed, reason, statements } = body.explanation
    assert.equal(allowed, false)
    assert.match(reason, /^Denied: to evaluate the policies for ecr:PutImage on \* takes more than 4,000,000 steps/)
    assert.deepEqual(
      statements.filter(({ decisive }) => decisive).map(({ outcome }) => outcome),
      ['TOO_MANY_STEPS'],
    )
  })

  test('make no endless list of keys that a simulation misses', async (t) => {
    const { iam, arn } = await world(t)
    const keys = Array.from({ length: 400 }, (_, index) => [`test:${index}`, []])
    const Condition = { StringNotEquals: Object.fromEntries(keys) }
    const PolicyDocument = document({ ...allow, Condition })
    const { Policy } = await iam.createPolicy({ PolicyName: 'keys', PolicyDocument })
    await iam.attachUserPolicy({ UserName: 'ann', PolicyArn: Policy?.Arn })
    const { EvaluationResults = [] } = await iam.simulatePrincipalPolicy({
      ...{ PolicySourceArn: arn, ActionNames: ['ecr:PutImage'], ResourceArns: ['*'] },
    })
    const [{ MissingContextValues = [], ResourceSpecificResults: [specific] = [] } = {}] = EvaluationResults
    assert.ok(MissingContextValues.includes('test:0'))
    assert.ok(MissingContextValues.length > 50 && MissingContextValues.length <= 100)
    assert.deepEqual(specific?.MissingContextValues, MissingContextValues)
  })

  test('leave other requests their turn between the decisions of a simulation', async (t) => {
    const { iam, server, arn } = await world(t)
    const order: string[] = []
    const simulation = iam
      .simulatePrincipalPolicy({
        ...{ PolicySourceArn: arn, ContextEntries: longContext },
        ActionNames: Array.from({ length: 40 }, (_, index) => `ecr:Action${index}`),
      })
      .then(() => order.push('simulation'))
    // Several in turn: some may be answered before the simulation starts.
    for (let count = 0; count < 10; count++) assert.ok((await fetch(`${server.url}/readyz`)).ok)
    order.push('others')
    await simulation
    assert.deepEqual(order, ['others', 'simulation'])
  })
})
