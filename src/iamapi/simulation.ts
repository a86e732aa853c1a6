import type { Handlers } from '#aws/operation.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { areTooLong, type CitedStatement, type Explain, type Explanation, longestOverrides } from '#iam/explain.ts'
import type { FindPrincipal } from '#iam/find-principal.ts'
import type { EvaluationResult, Operations, PolicySourceType, SimulatePrincipalPolicyRequest } from './model.ts'
import { refuse } from './refusals.ts'

export interface SimulationParts {
  readonly findPrincipal: FindPrincipal
  readonly explain: Explain
}

/** Each is a decision over the database. */
const mostDecisions = 200

/**
 * What AWS calls simulation: for each action and resource what the answer would be. Here it is the explanation of real policies,
 * those of the resources too; AWS leaves these out, and takes policies for the occasion, which are refused here.
 */
export function simulationOperations({ findPrincipal, explain }: SimulationParts) {
  return {
    SimulatePrincipalPolicy: {
      resource: ({ input }) => input.PolicySourceArn,
      handle: async ({ input, principal: caller, registry, circumstances }) => {
        const { PolicySourceArn: named, ActionNames, ResourceArns = ['*'], ContextEntries = [] } = input
        requireServed(input)
        const principal = named.split(':')[4] === caller.account ? await findPrincipal(named) : undefined
        if (principal === undefined) throw refuseEntity('EntityNotFound', { kind: 'user', name: named })
        const overrides = ContextEntries.map(
          ({ ContextKeyName: key = '', ContextKeyValues = [] }) => [key, ContextKeyValues] as const,
        )
        if (areTooLong(overrides)) throw refuse('SimulationContextTooLong', { most: longestOverrides })
        const results: EvaluationResult[] = []
        for (const action of ActionNames) {
          for (const resource of ResourceArns) {
            const asked = { principal, action, resource, registry, circumstances, overrides, viewer: caller.account }
            results.push(describeResult(await explain(asked)))
          }
        }
        return { EvaluationResults: results, IsTruncated: false }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

/** @throws Refusal `SimulationUnserved` */
function requireServed(input: SimulatePrincipalPolicyRequest): void {
  const unserved = (
    ['PolicyInputList', 'PermissionsBoundaryPolicyInputList', 'ResourcePolicy', 'ResourceOwner', 'CallerArn'] as const
  ).find((member) => input[member] !== undefined)
  if (unserved !== undefined) throw refuse('SimulationUnserved', { member: unserved })
  const { ActionNames, ResourceArns = ['*'] } = input
  if (ActionNames.length * ResourceArns.length > mostDecisions) {
    throw refuse('SimulationTooLarge', { most: mostDecisions })
  }
}

function describeResult({ action, resource, verdict, statements }: Explanation): EvaluationResult {
  const missing = statements.flatMap(({ keys }) => keys.filter(({ values }) => values === undefined))
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: verdict.allowed ? 'allowed' : verdict.reason === 'explicit deny' ? 'explicitDeny' : 'implicitDeny',
    MatchedStatements: statements
      .filter(({ decisive }) => decisive)
      .map((statement) => ({ SourcePolicyId: statement.policyName, SourcePolicyType: sourceOf(statement) })),
    MissingContextValues: [...new Set(missing.map(({ key }) => key))],
  }
}

/** An inline policy's name ends with whose it is (`iam/explain.ts`). */
function sourceOf({ type, policyName }: CitedStatement): PolicySourceType {
  if (type === 'resource-based policy') return 'resource'
  if (policyName.startsWith('arn:aws:iam::aws:')) return 'aws-managed'
  if (policyName.startsWith('arn:')) return 'user-managed'
  const [, owner] = / of (user|group|role) [^ ]+$/.exec(policyName) ?? []
  return owner === 'user' || owner === 'group' || owner === 'role' ? owner : 'none'
}
