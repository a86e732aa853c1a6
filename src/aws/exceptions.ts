import { Refusal } from '#lib/refusal.ts'
import { AwsError, callErrors, serverFailure } from './aws-error.ts'
import type { CallHead } from './call.ts'

/**
 * A surface's table of exceptions: for each refusal of the domain the name and the text that clients get, and where the
 * model gives the exception further members, those. The domain words nothing, so each surface words everything here.
 */
export type Exceptions<Refusals, Name extends string = string> = {
  readonly [Code in keyof Refusals & string]: Exception<Refusals[Code], Name>
}

type Exception<Facts, Name extends string = string> = readonly [
  name: Name,
  text: (facts: Facts) => string,
  members?: (facts: Facts) => Readonly<Record<string, unknown>>,
]

/** Any table of exceptions, its refusals forgotten. */
export type AnyExceptions = Readonly<Record<string, Exception<never>>>

/**
 * The error that a client gets for whatever was thrown. What is neither an AWS error nor a refusal of the table is ours:
 * it is logged with its cause, and answered without its text.
 */
export function describeFailure(error: unknown, exceptions: AnyExceptions, call: CallHead): AwsError {
  if (error instanceof AwsError) return error
  if (error instanceof Refusal && Object.hasOwn(callErrors, error.code)) {
    // As below: facts fit their code.
    return callErrors[error.code as keyof typeof callErrors](error.facts as never)
  }
  const exception = error instanceof Refusal ? exceptions[error.code] : undefined
  if (error instanceof Refusal && exception !== undefined) {
    const [name, text, members] = exception
    // The table is keyed by code, and `refuse` lets no refusal exist whose facts do not fit its code.
    const facts = error.facts as never
    return new AwsError(name, text(facts), 400, members?.(facts))
  }
  call.log.error({ err: error, requestId: call.requestId }, 'an AWS operation failed')
  return serverFailure()
}
