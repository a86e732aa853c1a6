import type { AuditedCall } from './call.ts'
import { isReadOnly, opensSession } from './read-only.ts'

/**
 * The identity that a record is charged to. All sessions of a role are one actor, since a caller may open any number of them.
 */
export interface Actor {
  /** The caller's account; of a caller that proved nothing, the account that the call is about. */
  readonly account: string
  /**
   * The unique id of the user or role, the account's number for root; the ARN of the role that a caller of an identity provider got; empty
   * for a caller that proved nothing.
   */
  readonly id: string
  /** As texts name it. */
  readonly arn: string | undefined
}

/**
 * All callers without credentials that are asked for some. Most of their requests are the first of a client that sends its credentials next,
 * so what is missing of them is not counted.
 */
export const challenged: Actor = { account: '', id: 'anonymous', arn: 'anonymous' }

/**
 * How much a record is worth: `change` was answered and may have changed something, `session` was answered with credentials, `read` was
 * answered with anything else, `refusal` was not answered.
 */
export type Worth = 'change' | 'session' | 'read' | 'refusal'

export function actorOf({ principal, owner, error, resources: [role] }: AuditedCall): Actor {
  if (principal?.kind === 'anonymous') {
    // A policy of this account allows what is served. A caller that is refused may have named any account.
    return error === undefined ? { account: owner, id: principal.arn, arn: principal.arn } : challenged
  }
  if (principal !== undefined) {
    return { account: principal.account, id: principal.identityId, arn: principal.identityArn }
  }
  // The identity provider vouches for a caller that got a role. Callers that prove nothing must not use up its budget.
  if (error === undefined && role !== undefined) return { account: owner, id: role, arn: role }
  return { account: owner, id: '', arn: undefined }
}

export function worthOf({ error, name }: Pick<AuditedCall, 'error' | 'name'>): Worth {
  if (error !== undefined) return 'refusal'
  if (opensSession(name)) return 'session'
  return isReadOnly(name) ? 'read' : 'change'
}
