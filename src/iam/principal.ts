import type { AccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'
import type { AccountRequester, AnonymousRequester } from './policy/principals.ts'

/** Who a request comes from, once its credentials have been verified. Nobody changes one. */
export interface Principal extends PrincipalFacts {
  /** The account that the principal belongs to, and whose registry it means when it names none. */
  readonly account: AccountId
  readonly kind: 'root' | 'user' | 'role'
}

/** A caller that sends no credentials, from a network that the operator opened for pulls. Only a policy for everybody allows it anything. */
export interface AnonymousPrincipal extends PrincipalFacts {
  readonly account: undefined
  readonly kind: 'anonymous'
}

export type Caller = Principal | AnonymousPrincipal

interface PrincipalFacts {
  /** `arn:aws:iam::<account>:root`, `…:user/<name>` or an assumed role's session, as texts name it. */
  readonly arn: string
  /** The unique id that STS reports: the account's number for root, `AIDA…`, `AROA…:<session name>`. */
  readonly userId: string
  /** Whose policies it has: the root, the user, or the role that the session is of, with its path. */
  readonly identityArn: string
  /** The unique id of that identity. */
  readonly identityId: string
  /** The access key that signed. */
  readonly accessKeyId: string
  /** Since when that key has its secret: it tells a key from one that replaced it under the same id. Milliseconds since the epoch. */
  readonly accessKeySince: number
  /** A user's name. */
  readonly name?: string
  /** The tags of the user or role, and over them those of the session. */
  readonly tags: Readonly<Record<string, string>>
  /** The policy that bounds what the identity's own may grant. */
  readonly boundaryArn?: string
  /** Of a service-linked role: the policy of AWS that it has instead of stored ones. */
  readonly servicePolicyArn?: string
  /** Of temporary credentials. */
  readonly session?: PrincipalSession
}

/** One for all such callers, which only their addresses tell apart. */
export const anonymousPrincipal: AnonymousPrincipal = Object.freeze({
  ...({ account: undefined, kind: 'anonymous', arn: 'anonymous', userId: 'anonymous' } as const),
  ...{ identityArn: 'anonymous', identityId: 'anonymous', accessKeyId: '', accessKeySince: 0, tags: {} },
})

export interface PrincipalSession {
  /** What was given for the session alone, and bounds it. */
  readonly policies: readonly { readonly name: string; readonly document: string }[]
  /** Condition keys that its credentials came with, such as those of a web identity. */
  readonly facts: Readonly<Record<string, string | readonly string[]>>
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
}

export function rootPrincipal(
  account: AccountId,
  { accessKeyId, accessKeySince, session }: Pick<Principal, 'accessKeyId' | 'accessKeySince' | 'session'>,
): Principal {
  const arn = rootArn(account)
  return Object.freeze({
    ...({ account, kind: 'root', arn, userId: account, identityArn: arn, identityId: account } as const),
    ...{ accessKeyId, accessKeySince, tags: {}, ...(session && { session }) },
  })
}

/** A user or a role as it is stored. */
interface StoredIdentity {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly tags: Readonly<Record<string, string>>
  readonly boundary: string | null
}

type Key = Pick<Principal, 'accessKeyId' | 'accessKeySince' | 'session'>

export function userPrincipal(account: AccountId, user: StoredIdentity, key: Key): Principal {
  const { id, name, path, tags, boundary } = user
  const arn = `arn:aws:iam::${account}:user${path}${name}`
  return Object.freeze({
    ...({ account, kind: 'user', arn, userId: id, identityArn: arn, identityId: id, name, ...key } as const),
    ...{ tags, ...(boundary !== null && { boundaryArn: boundary }) },
  })
}

/**
 * Stands for a member of a group that has the group's policies and no others. A group signs no request, so that only
 * explanations and simulations ask about one.
 */
export function groupPrincipal(
  account: AccountId,
  { id, name, path }: Pick<StoredIdentity, 'id' | 'name' | 'path'>,
): Principal {
  const arn = `arn:aws:iam::${account}:group${path}${name}`
  return Object.freeze({
    ...({ account, kind: 'user', arn, userId: id, identityArn: arn, identityId: id } as const),
    ...{ accessKeyId: '', accessKeySince: 0, tags: {} },
  })
}

/** A session of a role. */
export function sessionPrincipal(account: AccountId, role: StoredIdentity, session: string, key: Key): Principal {
  const { id, name, path, tags, boundary } = role
  return Object.freeze({
    ...({ account, kind: 'role', ...key } as const),
    arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
    userId: `${id}:${session}`,
    identityArn: `arn:aws:iam::${account}:role${path}${name}`,
    identityId: id,
    ...{ tags, ...(boundary !== null && { boundaryArn: boundary }) },
  })
}

/** The tags of a user or role as the database keeps them. */
export function parseTags(text: string | null): Readonly<Record<string, string>> {
  return text === null ? {} : (JSON.parse(text) as Record<string, string>)
}

/** The principal as policies name it. */
export function requesterOf(caller: Principal): AccountRequester
export function requesterOf(caller: Caller): AccountRequester | AnonymousRequester
export function requesterOf({ kind, account, arn, identityArn }: Caller): AccountRequester | AnonymousRequester {
  switch (kind) {
    case 'anonymous':
      return { kind }
    case 'root':
      return { kind, account }
    case 'user':
      return { kind, account, arn: identityArn }
    case 'role':
      return { kind: 'session', account, arn, roleArn: identityArn }
  }
}
