import { setImmediate } from 'node:timers/promises'
import type { Handlers } from '#aws/operation.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { areTooLong, type CitedStatement, type Explain, type Explanation, longestOverrides } from '#iam/explain.ts'
import type { FindPrincipal } from '#iam/find-principal.ts'
import type { Principal } from '#iam/principal.ts'
import type { Denial } from '#iam/refusals.ts'
import type { AccountId } from '#names/account.ts'
import type {
  EvaluationResult,
  Operations,
  PolicyEvaluationDecisionType,
  SimulatePrincipalPolicyRequest,
  Statement,
} from './model.ts'
import { refuse } from './refusals.ts'
import { type StatementPositions, statementPositions } from './statement-positions.ts'

export interface SimulationParts {
  readonly findPrincipal: FindPrincipal
  readonly explain: Explain
}

/** Each is a decision over the database. */
const mostDecisions = 200

/**
 * What AWS calls simulation: for each action and resource what the answer would be. Here it is the explanation of real policies,
 * those of the resources too; AWS leaves these out, and takes policies for the occasion, which are refused here. Each resource
 * has a result of its own, which also stands among the `ResourceSpecificResults`.
 */
export function simulationOperations({ findPrincipal, explain }: SimulationParts) {
  /** @throws Refusal `SourceUnclear`, `EntityNotFound` */
  async function findSource(named: string): Promise<Principal> {
    const found = await findPrincipal(named)
    if (found !== undefined) return found
    const [, , kind, name = ''] = sourcePattern.exec(named) ?? []
    if (kind !== 'user' && kind !== 'group' && kind !== 'role') throw refuse('SourceUnclear', { arn: named })
    throw refuseEntity('EntityNotFound', { kind, name })
  }

  return {
    SimulatePrincipalPolicy: {
      resource: ({ input, principal: caller }) => ownSource(input.PolicySourceArn, caller.account),
      handle: async ({ input, principal: caller, registry, circumstances, signal }) => {
        const { PolicySourceArn: named, ActionNames, ResourceArns = ['*'], ContextEntries = [] } = input
        requireServed(input)
        const principal = await findSource(named)
        const overrides = ContextEntries.map(
          ({ ContextKeyName: key = '', ContextKeyValues = [] }) => [key, ContextKeyValues] as const,
        )
        if (areTooLong(overrides)) throw refuse('SimulationContextTooLong', { most: longestOverrides })
        const describe = createDescriber({ resourcesGiven: input.ResourceArns !== undefined })
        const results: EvaluationResult[] = []
        for (const action of ActionNames) {
          for (const resource of ResourceArns) {
            const asked = { principal, action, resource, registry, circumstances, overrides, viewer: caller.account }
            // Each decision may take some ten milliseconds: other requests have their turn between two. None follows a client that left.
            await setImmediate(undefined, { signal })
            results.push(describe(await explain(asked)))
          }
        }
        return { EvaluationResults: results, IsTruncated: false }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

const sourcePattern = /^arn:aws:(?:iam|sts)::(\d{12}):(root|user|group|role|assumed-role)(?:\/(?:.*\/)?([^/]+))?$/s

/** Before the permission is asked, which could only be denied. @throws Refusal `SourceForeign`, `SourceUnclear` */
function ownSource(named: string, account: AccountId): string {
  const [, owner] = sourcePattern.exec(named) ?? []
  if (owner === undefined) throw refuse('SourceUnclear', { arn: named })
  if (owner !== account) throw refuse('SourceForeign', { caller: account, owner })
  return named
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

/** Finds the statements of each policy's text once for all results. */
function createDescriber({ resourcesGiven }: { readonly resourcesGiven: boolean }) {
  const positions = new Map<string, readonly StatementPositions[]>()

  function positionOf({ document, index }: CitedStatement): Partial<StatementPositions> {
    if (document === undefined) return {}
    const found = positions.get(document) ?? statementPositions(document)
    positions.set(document, found)
    return found[index] ?? {}
  }

  return ({ action, resource, verdict, statements }: Explanation): EvaluationResult => {
    const decision = verdict.allowed ? 'allowed' : decisions[verdict.reason]
    const found = {
      MatchedStatements: statements
        .filter(({ decisive }) => decisive)
        .map((statement) => ({ ...sourceOf(statement), ...positionOf(statement) })),
      MissingContextValues: missingKeys(statements),
    }
    return {
      ...{ EvalActionName: action, EvalResourceName: resource, EvalDecision: decision, ...found },
      // No organization limits an account here.
      OrganizationsDecisionDetail: { AllowedByOrganizations: true },
      ...(resourcesGiven && {
        EvalDecisionDetails: {},
        ResourceSpecificResults: [{ EvalResourceName: resource, EvalResourceDecision: decision, ...found }],
      }),
    }
  }
}

/** In characters, for one result, each key counted as twenty more. Policies within the quotas may ask for tens of thousands of keys, each of hundreds of results. */
const longestMissing = 2_048

/** As many as fit, each once. */
function missingKeys(statements: readonly CitedStatement[]): string[] {
  const missing = new Set<string>()
  let length = 0
  for (const { keys } of statements) {
    for (const { key, values } of keys) {
      if (values !== undefined || missing.has(key)) continue
      length += key.length + 20
      if (length > longestMissing) return [...missing]
      missing.add(key)
    }
  }
  return [...missing]
}

/** A decision that takes too many steps counts as one in which every statement that may deny does so. */
const decisions = {
  'explicit deny': 'explicitDeny',
  'no allow': 'implicitDeny',
  'too many steps': 'explicitDeny',
} as const satisfies Record<Denial['verdict']['reason'], PolicyEvaluationDecisionType>

/** A managed policy goes by its name, an inline one by `<kind>_<owner>_<policy>`. IAM has one type for both. */
function sourceOf({ type, policyName, inline, outcome }: CitedStatement): Statement {
  // AWS's answer has no other place for this text.
  const note = outcome === 'too many steps' ? ' (the policies take too many steps to evaluate)' : ''
  if (type === 'resource-based policy') return { SourcePolicyId: policyName + note, SourcePolicyType: 'resource' }
  const id = inline
    ? `${inline.kind}_${inline.owner}_${inline.name}`
    : policyName.slice(policyName.lastIndexOf('/') + 1)
  return { SourcePolicyId: id + note, SourcePolicyType: 'IAM Policy' }
}
