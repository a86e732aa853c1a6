import type { Circumstances, Conditions } from '#iam/circumstances.ts'
import type { Caller } from '#iam/principal.ts'
import type { Denial } from '#iam/refusals.ts'
import type { AccountId } from '#names/account.ts'

/**
 * One call as a surface hands it over once its answer is decided: who, from where, what, and how it ended. It holds no secret,
 * since the surface leaves them out by the model of its API, and is small, since many of them may wait to be written.
 */
export interface AuditedCall {
  readonly requestId: string
  /** The service's name in signatures and actions: `ecr`. */
  readonly service: string
  /** `PutImage`. */
  readonly name: string
  /** `undefined` where nobody has proved who they are: whom an identity provider should vouch for. */
  readonly principal: Caller | undefined
  /** Whose registry, user or role the call is about. */
  readonly owner: AccountId
  /** With the time of the call. */
  readonly circumstances: Circumstances
  /** The ARNs of what was acted on. */
  readonly resources: readonly string[]
  /** JSON objects without secrets; absent where there is none. */
  readonly parameters?: string | undefined
  readonly response?: string | undefined
  readonly error?: AuditedError | undefined
}

export interface AuditedError {
  readonly code: string
  readonly message: string
  /** Where it was permission that lacked. */
  readonly denial?: Denial | undefined
  /** The condition keys of the operation's own that the decision had. */
  readonly conditions?: Conditions | undefined
}
