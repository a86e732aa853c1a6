import { refusals } from '#lib/refusal.ts'

/** Why a policy document is refused; each stands for one rule of the grammar, whatever the sentence that a surface has for it. */
export type PolicyProblem =
  /** No JSON, or a value of a type that its place does not take. */
  | 'syntax'
  | 'element unknown'
  /** A name that occurs twice in one object. */
  | 'element repeated'
  /** `Action` beside `NotAction`, and so on. */
  | 'element and its negation'
  | 'version'
  /** Before 2012-10-17, in a managed policy. */
  | 'version too old'
  | 'statement missing'
  | 'sid'
  | 'sid repeated'
  | 'effect'
  | 'principal missing'
  | 'principal'
  | 'principal not allowed'
  | 'action missing'
  /** Not `service:Name`, not `*:Name` and not `*`. */
  | 'action'
  /** Well-formed, and nothing that a policy of this kind may name. */
  | 'action not allowed'
  | 'resource missing'
  /** Neither `*` nor an ARN. */
  | 'resource'
  | 'resource not allowed'
  /** Of an ARN: one that is not AWS's. */
  | 'resource partition'
  /** Of an ARN: no service, or a wildcard in its name. */
  | 'resource service'
  /** Of an ARN: one where the service has none. */
  | 'resource region'
  /** Of IAM's: none that it has. */
  | 'resource path'
  /** An ARN with a field missing, or with an account that is no number. */
  | 'resource field'
  | 'condition operator'
  | 'condition key'
  /** Not a number, a date, an address … as its operator takes. */
  | 'condition value'
  /** A `${` that begins no variable, or a variable where none may stand. */
  | 'variable'

export interface PolicyRefusals {
  /** `at` is the place as JavaScript would name it, `Statement[0].Action[1]`; empty for the document as a whole. */
  PolicyMalformed: { readonly problem: PolicyProblem; readonly at: string; readonly value?: string }
}

const refuse = refusals<PolicyRefusals>()

/** The refusal of a document for the problem at that place. `value` is what stands there, where it is a text. */
export function malformed(problem: PolicyProblem, at: string, value?: unknown) {
  return refuse('PolicyMalformed', { problem, at, ...(typeof value === 'string' && { value }) })
}
