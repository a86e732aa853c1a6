import { Steps, stepsExceeded } from '#lib/steps.ts'
import type { AccountId } from '#names/account.ts'
import { subjectOf } from './below.ts'
import type { CompiledStatement, Policy, Question } from './compile.ts'
import type { Context } from './context.ts'
import type { Closeness, Requester } from './principals.ts'

/**
 * Whether policies allow a request, and which statement says so (IAM user guide, "Policy evaluation logic" and "Cross-account
 * policy evaluation logic"). Pure: the same policies and request give the same verdict, in whatever order they stand.
 */
export interface Request {
  readonly requester: Requester
  /** `ecr:PutImage`. */
  readonly action: string
  /** An ARN, or `*` for an action without a resource. `arn:…:repository/team/*` means every repository below `team/`. */
  readonly resource: string
  /** The account that owns the resource; for `*` the one that the action is on. */
  readonly owner: AccountId
  readonly context: Context
}

export interface Policies {
  /** What the user, its groups or the role have. */
  readonly identity: readonly Policy[]
  /** What the resource has: the policies of its repository and its registry, or a role's trust policy. */
  readonly resource: readonly Policy[]
  readonly boundary?: Policy | undefined
  /** What was given for the session alone; without any the session is not limited. */
  readonly session?: readonly Policy[]
  /** The resource has to allow it in any case, as a role does who assumes it. */
  readonly resourceMustAllow?: boolean
}

/** In the words of IAM's texts (IAM user guide, "Troubleshoot access denied error messages"). */
export type PolicyType = 'identity-based policy' | 'resource-based policy' | 'permissions boundary' | 'session policy'

export interface StatementReference {
  readonly type: PolicyType
  readonly policy: string
  /** From 0. */
  readonly index: number
  readonly sid: string | undefined
}

export type Verdict = Allowed | ExplicitlyDenied | NotAllowed | TooManySteps

export interface Allowed {
  readonly allowed: true
  /** Those that allow it together; none for the root of the account that owns the resource. */
  readonly statements: readonly StatementReference[]
}

export interface ExplicitlyDenied {
  readonly allowed: false
  readonly reason: 'explicit deny'
  readonly type: PolicyType
  readonly statement: StatementReference
}

export interface NotAllowed {
  readonly allowed: false
  readonly reason: 'no allow'
  /** The type of policy of which one would have to allow it. */
  readonly type: PolicyType
}

/** To compare the request with the policies takes more steps than a decision has: what they say is unknown. */
export interface TooManySteps {
  readonly allowed: false
  readonly reason: 'too many steps'
  readonly type: PolicyType
  /** The one in which the steps ran out. */
  readonly statement: StatementReference
}

/**
 * Ours. It takes ten to twenty milliseconds to spend. A principal with all policies that AWS's quotas permit, 110 of 6 KB, all of them
 * full of `repository/*team-1*app*`, needs 0.2 million for a repository with a short name, and all of them for one with the longest.
 */
export const mostSteps = 4_000_000

/**
 * Every request to either plane comes through here, with all policies of its requester. A decision that needs more steps than there
 * are is a denial: an allowance counts only if no statement that might deny is left out.
 */
export function evaluate(request: Request, policies: Policies, steps = new Steps(mostSteps)): Verdict {
  const { requester, context } = request
  const action = request.action.toLowerCase()
  const question = { action, ...subjectOf(request.resource), context, steps }
  const { boundary, session = [] } = policies
  const identity = survey('identity-based policy', policies.identity, question, requester)
  const resource = survey('resource-based policy', policies.resource, question, requester)
  const limits: Survey[] = []
  if (boundary !== undefined) limits.push(survey('permissions boundary', [boundary], question, requester))
  if (session.length > 0) limits.push(survey('session policy', session, question, requester))
  const all = [identity, resource, ...limits]
  for (const { type, denial } of all) {
    if (denial !== undefined) return { allowed: false, reason: 'explicit deny', type, statement: denial }
  }
  for (const { type, unfinished } of all) {
    if (unfinished !== undefined) return { allowed: false, reason: 'too many steps', type, statement: unfinished }
  }
  return combine(request, { identity, resource, limits, resourceMustAllow: policies.resourceMustAllow ?? false })
}

/** What the policies of one type say: the first statement that denies, and the first of each closeness that allows. */
interface Survey {
  readonly type: PolicyType
  readonly denial: StatementReference | undefined
  /** The first statement that needs more steps than are left. Nothing is known of it, nor of those after it. */
  readonly unfinished: StatementReference | undefined
  readonly allowances: Map<Closeness, StatementReference>
}

function survey(type: PolicyType, policies: readonly Policy[], question: Question, requester: Requester): Survey {
  const found: Survey = { type, denial: undefined, unfinished: undefined, allowances: new Map() }
  for (const { name, statements } of policies) {
    for (const statement of statements) {
      // Once something allows to the requester itself, only what denies can still matter.
      if (statement.allows && found.allowances.has('itself')) continue
      const closeness = closenessOf(statement, question, requester)
      if (closeness === undefined) continue
      const reference = { type, policy: name, index: statement.index, sid: statement.sid }
      if (closeness === 'unfinished') return { ...found, unfinished: reference }
      if (!statement.allows) return { ...found, denial: reference }
      if (!found.allowances.has(closeness)) found.allowances.set(closeness, reference)
    }
  }
  return found
}

/** How closely a statement that applies names the requester. */
function closenessOf(
  statement: CompiledStatement,
  question: Question,
  requester: Requester,
): Closeness | 'unfinished' | undefined {
  try {
    if (!statement.matches(question)) return undefined
    const closeness = statement.concerns(requester)
    return closeness !== undefined && statement.holds(question) ? closeness : undefined
  } catch (error) {
    if (error === stepsExceeded) return 'unfinished'
    throw error
  }
}

interface Surveys {
  readonly identity: Survey
  readonly resource: Survey
  readonly limits: readonly Survey[]
  readonly resourceMustAllow: boolean
}

/**
 * Nothing denies. Within an account the resource's policy is enough where it names the requester itself; otherwise either
 * side's is, within the limits of the requester. Across accounts both sides must allow, and the limits too.
 */
function combine({ requester, owner }: Request, { identity, resource, limits, resourceMustAllow }: Surveys): Verdict {
  const itself = resource.allowances.get('itself')
  const itsRole = resource.allowances.get('its role')
  const accountless = requester.kind === 'anonymous' || requester.kind === 'service' || requester.kind === 'federated'
  const within = accountless || requester.account === owner
  if (within && itself !== undefined) return { allowed: true, statements: [itself] }
  const byResource = itself ?? itsRole ?? resource.allowances.get('its account')
  if ((accountless || !within || resourceMustAllow) && byResource === undefined) return notAllowed(resource)

  const statements = new Set<StatementReference>()
  if (requester.kind !== 'root') {
    const grant = (within ? itsRole : undefined) ?? identity.allowances.get('itself')
    if (grant === undefined) return notAllowed(identity)
    statements.add(grant)
  }
  if (byResource !== undefined && (!within || resourceMustAllow)) statements.add(byResource)
  for (const limit of limits) {
    const grant = limit.allowances.get('itself')
    if (grant === undefined) return notAllowed(limit)
    statements.add(grant)
  }
  return { allowed: true, statements: [...statements] }
}

function notAllowed({ type }: Survey): NotAllowed {
  return { allowed: false, reason: 'no allow', type }
}
