import { isObject } from '#lib/json.ts'
import { type AccountId, isAccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'
import { textsOf } from './json.ts'
import { malformed } from './refusals.ts'

/**
 * The `Principal` and `NotPrincipal` elements: their grammar, and whom they name (IAM user guide, "AWS JSON policy elements:
 * Principal" and "NotPrincipal"). There are no wildcards but `*` for everybody.
 */
export interface Principals {
  /** `NotPrincipal`. */
  readonly negated: boolean
  readonly everybody: boolean
  /** ARNs, accounts by the ARN of their root; `service:…`; `federated:…`. */
  readonly names: readonly string[]
}

/** Who asks, in the facts that policies name principals by. */
export type Requester = AccountRequester | AnonymousRequester | ServiceRequester | FederatedRequester

export type AccountRequester =
  | { readonly kind: 'root'; readonly account: AccountId }
  /** With keys of its own or with those of `GetSessionToken`. */
  | { readonly kind: 'user'; readonly account: AccountId; readonly arn: string }
  /** `arn` is that of the session, `…:assumed-role/<role>/<session>`; `roleArn` has the role's path. */
  | { readonly kind: 'session'; readonly account: AccountId; readonly arn: string; readonly roleArn: string }

/** A caller without credentials. */
export interface AnonymousRequester {
  readonly kind: 'anonymous'
}

interface ServiceRequester {
  readonly kind: 'service'
  /** `replication.ecr.amazonaws.com`. */
  readonly name: string
}

/** Somebody whom an identity provider vouches for, who asks for a role. */
interface FederatedRequester {
  readonly kind: 'federated'
  /** The provider's ARN, or its domain name. */
  readonly provider: string
}

const patterns = {
  AWS: /^arn:[a-z-]+:(?:iam::\d{12}:(?:root|(?:user|role)\/[^*?]+)|sts::\d{12}:(?:assumed-role\/[^*?/]+|federated-user)\/[^*?/]+)$/,
  /** What is left of a user or role in a policy that outlived it; names nobody. */
  id: /^A(?:ID|RO)A[A-Z0-9]{12,28}$/,
  Service: /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/,
  Federated: /^[^\s*?]+$/,
} as const

/** @throws Refusal `PolicyMalformed` */
export function parsePrincipals(value: unknown, at: string, { negated }: { negated: boolean }): Principals {
  if (value === '*') return { negated, everybody: true, names: [] }
  if (typeof value === 'string') throw malformed('principal', at, value)
  if (!isObject(value)) throw malformed('syntax', at)
  const names = Object.entries(value).flatMap(([type, named]) =>
    textsOf(named, `${at}.${type}`).map(({ text, at }) => parseName(type, text, at)),
  )
  if (names.length === 0) throw malformed('principal', at)
  return { negated, everybody: names.includes('*'), names: names.filter((name) => name !== '*') }
}

function parseName(type: string, text: string, at: string): string {
  switch (type) {
    case 'AWS':
      if (text === '*') return text
      if (isAccountId(text)) return rootArn(text)
      if (patterns.AWS.test(text) || patterns.id.test(text)) return text
      break
    case 'Service':
      if (patterns.Service.test(text)) return `service:${text}`
      break
    case 'Federated':
      if (patterns.Federated.test(text)) return `federated:${text}`
      break
  }
  throw malformed('principal', at, text)
}

/**
 * How closely an element names a requester. Only its own name, or `*`, grants without regard to what limits the requester; a
 * role's name grants to its sessions within those limits, and an account's leaves it to the account to grant (IAM user
 * guide, "The difference between explicit and implicit denies").
 */
export type Closeness = 'itself' | 'its role' | 'its account'

/** `undefined` where the statement is not about the requester. */
export type PrincipalMatcher = (requester: Requester) => Closeness | undefined

export function compilePrincipals(principals: Principals, { allows }: { allows: boolean }): PrincipalMatcher {
  const { negated, everybody } = principals
  const names = new Set(principals.names)
  if (negated) {
    return (requester) => (everybody || isExcepted(names, requester, { allows }) ? undefined : 'itself')
  }
  if (everybody) return () => 'itself'
  return (requester) => namesOf(requester).find(({ name }) => names.has(name))?.closeness
}

/**
 * Whether `NotPrincipal` excepts a requester. A denial spares only whom it names with its role and account, and an allowance
 * is for whom it names in no way: both are the reading that grants less, and the first is the one of the user guide's examples.
 */
function isExcepted(names: ReadonlySet<string>, requester: Requester, { allows }: { allows: boolean }): boolean {
  // It has no name: a denial never spares it, and only `Principal` with `*` allows it anything.
  if (requester.kind === 'anonymous') return allows
  const own = namesOf(requester)
  return allows ? own.some(({ name }) => names.has(name)) : own.every(({ name }) => names.has(name))
}

interface RequesterName {
  readonly name: string
  readonly closeness: Closeness
}

/** The closest first. */
function namesOf(requester: Requester): readonly RequesterName[] {
  switch (requester.kind) {
    case 'anonymous':
      return []
    case 'root':
      return [{ name: rootArn(requester.account), closeness: 'itself' }]
    case 'user':
      return [
        { name: requester.arn, closeness: 'itself' },
        { name: rootArn(requester.account), closeness: 'its account' },
      ]
    case 'session':
      return [
        { name: requester.arn, closeness: 'itself' },
        { name: requester.roleArn, closeness: 'its role' },
        { name: rootArn(requester.account), closeness: 'its account' },
      ]
    case 'service':
      return [{ name: `service:${requester.name}`, closeness: 'itself' }]
    case 'federated':
      return [{ name: `federated:${requester.provider}`, closeness: 'itself' }]
  }
}
