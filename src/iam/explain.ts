import { setImmediate } from 'node:timers/promises'
import type { Reader } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import type { AccessRequest } from './authorize.ts'
import type { Conditions } from './circumstances.ts'
import type { CompileDocument } from './compiled.ts'
import { findRoleByArn } from './identities/roles.ts'
import type { Inquire } from './inquiry.ts'
import type { OwnerKind } from './policies/usage.ts'
import type { Policy } from './policy/compile.ts'
import { requestContext } from './policy/context.ts'
import { evaluate, type Policies, type Verdict } from './policy/evaluate.ts'
import { type ConsideredStatement, considerStatements } from './policy/explain.ts'

/**
 * Why a request is allowed or denied: the same evaluation that decides requests, with the statements that it rests on, those that
 * nearly did, and what the conditions asked for.
 */
export interface Explanation {
  readonly principalArn: string
  readonly action: string
  readonly resource: string
  readonly verdict: Verdict
  readonly statements: readonly CitedStatement[]
  /** Whether all statements were looked at: those may be too many, or too slow to compare. */
  readonly complete: boolean
  /** The side that is another account's, and that was taken to allow it: what that account's policies say is its own affair. */
  readonly presumed: Presumed | undefined
}

export interface CitedStatement extends ConsideredStatement {
  /** The policy by a name that people know: `own of user ann`. */
  readonly policyName: string
  /** The owner of an inline policy, and the policy's name there; undefined for other policies. */
  readonly inline: InlineSource | undefined
}

export interface InlineSource {
  readonly kind: OwnerKind
  readonly owner: string
  readonly name: string
}

export interface Presumed {
  readonly side: 'identity' | 'resource'
  readonly account: AccountId
}

export interface Question extends AccessRequest {
  /** Values of condition keys, in place of those that the request would have. */
  readonly overrides?: Conditions | undefined
  /** Who is shown the answer, and so only the policies of which account; `undefined` for whoever has the database anyway. */
  readonly viewer: AccountId | undefined
}

/**
 * How many characters of keys and values a caller may put in place of the request's; each value counts as one more. Patterns are
 * compared with them, at a cost that grows with their length and number, and both may come from the same caller.
 */
export const longestOverrides = 2_048

export function areTooLong(overrides: readonly (readonly [key: string, values: readonly string[]])[]): boolean {
  let length = 0
  for (const [key, values] of overrides) length += values.reduce((sum, value) => sum + value.length + 1, key.length)
  return length > longestOverrides
}

export type Explain = (question: Question) => Promise<Explanation>

export interface ExplainerParts {
  readonly reader: Reader
  readonly inquire: Inquire
  readonly compile: CompileDocument
}

export function createExplainer({ reader, inquire, compile }: ExplainerParts): Explain {
  /** Whom a role trusts counts as its policy, and it has to allow (`role-sessions.ts`). */
  async function withTrust(action: string, resource: string, policies: Policies): Promise<Policies> {
    if (!trustActions.has(action.toLowerCase())) return policies
    const role = await findRoleByArn(reader, resource)
    const trust = role === undefined ? [] : [compile(role.arn, role.trustPolicy, 'trust')]
    return { ...policies, resource: trust, resourceMustAllow: true }
  }

  return async function explain({ overrides = [], viewer, ...request }) {
    const { principal, action, resource } = request
    const inquiry = await inquire(request)
    const presumed = presumedSide(viewer, principal.account, inquiry.question.owner)
    const given = requestContext(overrides)
    // The tags of another account's resource are not asked at all: conditions on them would find them out one by one.
    const known = (key: string) =>
      presumed?.side === 'resource' && isForeign(key, presumed) ? undefined : inquiry.context.get(key)
    const context = { get: (key: string) => given.get(key) ?? known(key) }
    const question = { ...inquiry.question, context }
    const policies = withoutForeign(await withTrust(action, resource, inquiry.policies), presumed)
    const verdict = evaluate(question, policies)
    // Either may spend all its steps: other requests have their turn between the two.
    await setImmediate()
    const considered = considerStatements(question, policies, verdict)
    const ours = considered.statements
      .filter(({ policy }) => policy !== foreign.name)
      .map((each) => ({ ...each, keys: each.keys.filter(({ key }) => !isForeign(key, presumed)) }))
    const statements = await nameOwners(reader, ours)
    const { complete } = considered
    return { principalArn: principal.arn, action, resource, verdict, statements, complete, presumed }
  }
}

const trustActions: ReadonlySet<string> = new Set(['sts:assumerole', 'sts:tagsession', 'sts:setsourceidentity'])

function presumedSide(
  viewer: AccountId | undefined,
  requester: AccountId | undefined,
  owner: AccountId,
): Presumed | undefined {
  if (viewer === undefined || requester === owner) return undefined
  if (requester !== undefined && requester !== viewer) return { side: 'identity', account: requester }
  return owner === viewer ? undefined : { side: 'resource', account: owner }
}

/** Stands for the policies of another account. */
const foreign: Policy = {
  name: 'policies of another account',
  statements: [
    { index: 0, sid: undefined, allows: true, matches: () => true, holds: () => true, concerns: () => 'itself' },
  ],
}

/** Whether a condition key tells what the other account alone knows: the tags of its resource, or who its principal is. */
function isForeign(key: string, presumed: Presumed | undefined): boolean {
  if (presumed === undefined) return false
  return presumed.side === 'resource' ? key.includes(':resourcetag/') : !ownKeys.test(key)
}

const ownKeys =
  /^(?:(?:aws|ecr):resourcetag\/.*|aws:(?:sourceip|securetransport|useragent|currenttime|epochtime|requestedregion|principalarn|principalaccount))$/s

function withoutForeign(policies: Policies, presumed: Presumed | undefined): Policies {
  switch (presumed?.side) {
    case undefined:
      return policies
    case 'identity':
      return { ...policies, identity: [foreign], boundary: undefined, session: [] }
    case 'resource':
      return { ...policies, resource: [foreign] }
  }
}

/** An inline policy is cited by its owner's unique id (`identity-policies.ts`), which tells nobody whose it is. */
async function nameOwners(
  reader: Reader,
  statements: readonly ConsideredStatement[],
): Promise<readonly CitedStatement[]> {
  const ids = new Set(statements.flatMap(({ policy }) => inlinePattern.exec(policy)?.[1] ?? []))
  const found = new Map<string, Omit<InlineSource, 'name'>>()
  for (const id of ids) {
    for (const [kind, table] of owners) {
      const row = await reader.selectFrom(table).select('name').where('id', '=', id).executeTakeFirst()
      if (row !== undefined) found.set(id, { kind, owner: row.name })
    }
  }
  return statements.map((statement) => {
    const { policy } = statement
    const [, id = '', name = ''] = inlinePattern.exec(policy) ?? []
    const source = found.get(id)
    const inline = source && { ...source, name }
    const policyName = inline === undefined ? policy : `${name} of ${inline.kind} ${inline.owner}`
    return { ...statement, policyName, inline }
  })
}

const inlinePattern = /^(A(?:ID|GP|RO)A[A-Z0-9]+)\/(.+)$/s

const owners = [
  ['user', 'iam_user'],
  ['group', 'iam_group'],
  ['role', 'iam_role'],
] as const
