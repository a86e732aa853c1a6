// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import type { PolicyType, Request } from '#iam/policy/evaluate.ts'

/**
 * Policy evaluation a second time, as one would write it in an afternoon: straight from the JSON, everything asked of every
 * statement, regular expressions for wildcards. It knows the operators that `property.test.ts` makes up, and no others.
 */
export interface JsonStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | { readonly AWS: readonly string[] }
  readonly NotPrincipal?: { readonly AWS: readonly string[] }
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource?: readonly string[]
  readonly NotResource?: readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

/** A policy is its statements. */
export interface JsonPolicies {
  readonly identity: readonly (readonly JsonStatement[])[]
  readonly resource: readonly (readonly JsonStatement[])[]
  readonly boundary: readonly JsonStatement[] | undefined
  readonly session: readonly (readonly JsonStatement[])[]
}

export function evaluateNaively(request: Request, policies: JsonPolicies): 'allowed' | 'explicit deny' | PolicyType {
  const { identity, resource, boundary, session } = policies
  const all = [...identity, ...resource, ...(boundary ? [boundary] : []), ...session].flat()
  if (all.some((statement) => statement.Effect === 'Deny' && isAbout(statement, request))) return 'explicit deny'

  const allowedBy = (statements: readonly JsonStatement[]) =>
    statements.filter((statement) => statement.Effect === 'Allow' && isAbout(statement, request))
  const byResource = allowedBy(resource.flat())
  if (request.requester.kind === 'anonymous') return byResource.length > 0 ? 'allowed' : 'resource-based policy'
  const { account, arn, role } = namesOf(request)
  const names = (name: string) => byResource.some(({ Principal }) => Principal !== '*' && Principal?.AWS.includes(name))
  const byName = byResource.some(({ Principal, NotPrincipal }) => Principal === '*' || NotPrincipal) || names(arn)

  const sameAccount = request.requester.kind !== 'service' && account === request.owner
  if (sameAccount && byName) return 'allowed'
  if (!sameAccount && byResource.length === 0) return 'resource-based policy'
  const isRoot = request.requester.kind === 'root'
  const byRole = sameAccount && role !== undefined && names(role)
  if (!isRoot && !byRole && allowedBy(identity.flat()).length === 0) return 'identity-based policy'
  if (boundary !== undefined && allowedBy(boundary).length === 0) return 'permissions boundary'
  if (session.length > 0 && allowedBy(session.flat()).length === 0) return 'session policy'
  return 'allowed'
}

function namesOf({ requester }: Request): { account: string; arn: string; role?: string; root: string } {
  if (requester.kind === 'service' || requester.kind === 'federated' || requester.kind === 'anonymous')
    throw new Error('Only principals of accounts')
  const root = `arn:aws:iam::${requester.account}:root`
  if (requester.kind === 'root') return { account: requester.account, arn: root, root }
  if (requester.kind === 'user') return { account: requester.account, arn: requester.arn, root }
  return { account: requester.account, arn: requester.arn, role: requester.roleArn, root }
}

/** Names that no statement has. */
const nameless = { arn: 'no principal', root: 'no account', role: undefined }

function isAbout(statement: JsonStatement, request: Request): boolean {
  const { Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition = {} } = statement
  const anonymous = request.requester.kind === 'anonymous'
  const { arn, role, root } = anonymous ? nameless : namesOf(request)
  const own = [arn, root, ...(role === undefined ? [] : [role])]
  if (anonymous && NotPrincipal !== undefined && statement.Effect === 'Allow') return false
  if (Principal !== undefined && Principal !== '*' && !own.some((name) => Principal.AWS.includes(name))) return false
  if (NotPrincipal !== undefined) {
    const named = own.filter((name) => NotPrincipal.AWS.includes(name))
    if (statement.Effect === 'Deny' ? named.length === own.length : named.length > 0) return false
  }
  const isAction = (pattern: string) => like(pattern.toLowerCase(), request.action.toLowerCase())
  if (Action && !Action.some(isAction)) return false
  if (NotAction?.some(isAction)) return false
  const isResource = (pattern: string) => resourceMatches(pattern, request)
  if (Resource && !Resource.some(isResource)) return false
  if (NotResource?.some(isResource)) return false
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, given]) =>
      conditionHolds(operator, given, request.context.get(key.toLowerCase()) ?? []),
    ),
  )
}

const one = ({ context }: Request, key: string) => {
  const values = context.get(key) ?? []
  return values.length === 1 ? values[0] : undefined
}

function resourceMatches(pattern: string, request: Request): boolean {
  if (pattern === '*') return true
  if (request.resource === '*') return false
  const name = one(request, 'aws:username')
  if (pattern.includes('${') && name === undefined) return false
  // Names in these tests hold no wildcards.
  const parts = pattern.replace('${aws:username}', name ?? '').split(':')
  const asked = request.resource.split(':')
  return (
    [0, 1, 2, 3, 4].every((index) => like(parts[index] ?? '*', asked[index] ?? '')) &&
    like(parts.slice(5).join(':') || '*', asked.slice(5).join(':'))
  )
}

function like(pattern: string, text: string): boolean {
  const escaped = [...pattern].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : RegExp.escape(char)))
  return new RegExp(`^${escaped.join('')}$`, 's').test(text)
}

function conditionHolds(operator: string, given: readonly string[], values: readonly string[]): boolean {
  const present = values.length > 0
  const equals = (value: string) => given.includes(value)
  const likes = (value: string) => given.some((pattern) => like(pattern, value))
  switch (operator) {
    case 'StringEquals':
      return values.some(equals)
    case 'StringNotEquals':
      return !values.some(equals)
    case 'StringLikeIfExists':
      return !present || values.some(likes)
    case 'StringNotLike':
      return !values.some(likes)
    case 'ForAllValues:StringLike':
      return values.every(likes)
    case 'ForAnyValue:StringEquals':
      return values.some(equals)
    case 'ForAnyValue:StringNotEquals':
      return values.some((value) => !equals(value))
    case 'Null':
      return given.includes(present ? 'false' : 'true')
    default:
      throw new Error(`No operator of these tests: ${operator}`)
  }
}
