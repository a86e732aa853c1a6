import { compilePolicy } from '#iam/policy/compile.ts'
import { requestContext } from '#iam/policy/context.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import { evaluate } from '#iam/policy/evaluate.ts'
import { parseAccountId } from '#names/account.ts'
import type { Limit } from '../harness/figure.ts'

const policies = 20
const statements = 10
const runMs = 2_000

/**
 * How many requests are decided in a second on one core, with nothing remembered of earlier ones: a user with many policies,
 * of which the last statement of the last one allows what is asked, so that all of them are looked at.
 */
export const policyEvaluation: Limit = {
  name: 'policy-evaluation',
  title: 'policy evaluation, 20 × 10 statements',
  unit: 'evaluations',
  atLeast: 10_000,
  async measure() {
    const identity = Array.from({ length: policies }, (_, index) =>
      compilePolicy(`policy-${index}`, parsePolicy(documentOf(index), 'identity')),
    )
    const account = parseAccountId('111122223333')
    const request = {
      requester: { kind: 'user', account, arn: `arn:aws:iam::${account}:user/ci` } as const,
      action: 'ecr:BatchGetImage',
      resource: `arn:aws:ecr:eu-west-1:${account}:repository/team-${policies}/app`,
      owner: account,
      context: requestContext([
        ['aws:SourceIp', '10.1.2.3'],
        ['aws:PrincipalTag/team', 'blue'],
        ['aws:ResourceTag/env', 'prod'],
        ['aws:CurrentTime', '2026-03-01T12:00:00Z'],
      ]),
    }
    let count = 0
    const startedAt = performance.now()
    while (performance.now() - startedAt < runMs) {
      for (let turn = 0; turn < 100; turn++, count++) {
        if (!evaluate(request, { identity, resource: [] }).allowed) throw new Error('the request is not allowed')
      }
    }
    return count / ((performance.now() - startedAt) / 1000)
  },
}

function documentOf(index: number): string {
  const last = index === policies - 1
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: Array.from({ length: statements }, (_, at) => statementOf(index, at, last && at === statements - 1)),
  })
}

/** Alike in actions, so that resources and conditions have to tell them apart. */
function statementOf(policy: number, at: number, granting: boolean): object {
  const Resource = granting
    ? `arn:aws:ecr:*:*:repository/team-${policies}/*`
    : `arn:aws:ecr:*:*:repository/team-${at}-${policy}/*`
  const Condition = {
    StringEquals: { 'aws:ResourceTag/env': granting ? 'prod' : `stage-${at}` },
    IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.168.0.0/16'] },
  }
  return {
    Effect: at % 5 === 4 && !granting ? 'Deny' : 'Allow',
    Action: ['ecr:Batch*', 'ecr:GetDownloadUrlForLayer', 'ecr:Describe*'],
    // A wildcard alone in every other statement, so that its conditions are asked.
    Resource: at % 2 === 0 && !granting ? '*' : Resource,
    ...((at % 2 === 0 || granting) && { Condition }),
  }
}
