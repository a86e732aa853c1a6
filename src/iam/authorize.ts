import { rootArn } from '#names/arn.ts'
import type { Principal } from './principal.ts'
import { refuse } from './refusals.ts'

/**
 * The one place that decides who may do what. Denied unless something allows: the root of an account may do everything to
 * what its account owns, and nothing to what another owns, which only a policy of the resource can allow.
 */

/** Why a decision is what it is, in the kinds of policy that IAM's texts name (IAM user guide, "Policy evaluation logic"). */
export type Decision = Allowance | Denial

export interface Question {
  readonly principalArn: string
  /** `ecr:PutImage`. */
  readonly action: string
  /** An ARN, or `*` for an action without a resource. */
  readonly resource: string
}

export interface Allowance extends Question {
  readonly allowed: true
  readonly reason: 'account root'
}

export interface Denial extends Question {
  readonly allowed: false
  readonly reason: 'no identity-based policy' | 'no resource-based policy'
}

export function authorize(principal: Principal, action: string, resource: string): Decision {
  const question = { principalArn: principal.arn, action, resource }
  if (ownerOf(resource, principal) !== principal.account) {
    return { ...question, allowed: false, reason: 'no resource-based policy' }
  }
  if (principal.arn !== rootArn(principal.account)) {
    return { ...question, allowed: false, reason: 'no identity-based policy' }
  }
  return { ...question, allowed: true, reason: 'account root' }
}

/** @throws Refusal `AccessDenied` */
export function requireAllowed(principal: Principal, action: string, resource: string): void {
  const decision = authorize(principal, action, resource)
  if (!decision.allowed) throw refuse('AccessDenied', decision)
}

/** The account in `arn:<partition>:<service>:<region>:<account>:…`. Whoever acts on `*` acts on its own account. */
function ownerOf(resource: string, principal: Principal): string | undefined {
  return resource === '*' ? principal.account : /^arn:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(resource)?.[1]
}
