import type { AuditedCall } from './call.ts'
import { isReadOnly } from './read-only.ts'

/**
 * The identity that a record is charged to. All sessions of a role are one actor, since a caller may open any number of them.
 */
export interface Actor {
  /** The caller's account; of a caller that proved nothing, the account that the call is about. */
  readonly account: string
  /** The unique id of the user or role, the account's number for root; empty for a caller that proved nothing. */
  readonly id: string
  /** As texts name it. */
  readonly arn: string | undefined
}

/** How much a record is worth: `change` was answered and may have changed something, `read` was answered, `refusal` was not. */
export type Worth = 'change' | 'read' | 'refusal'

export function actorOf({ principal, owner }: AuditedCall): Actor {
  if (principal === undefined) return { account: owner, id: '', arn: undefined }
  return { account: principal.account, id: principal.identityId, arn: principal.identityArn }
}

export function worthOf({ error, name }: Pick<AuditedCall, 'error' | 'name'>): Worth {
  if (error !== undefined) return 'refusal'
  // Any principal may call GetSessionToken, without a permission, so that many of them must not outlive what others did.
  return isReadOnly(name) ? 'read' : 'change'
}
