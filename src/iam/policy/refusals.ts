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
  | 'statement missing'
  | 'sid'
  | 'sid repeated'
  | 'effect'
  | 'principal missing'
  | 'principal'
  | 'principal not allowed'
  | 'action missing'
  /** Not `service:Name` and not `*`. */
  | 'action'
  /** Well-formed, and nothing that a policy of this kind may name. */
  | 'action not allowed'
  | 'resource missing'
  /** Neither `*` nor an ARN. */
  | 'resource'
  | 'resource not allowed'
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
