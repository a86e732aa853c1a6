import type { AwsError } from './aws-error.ts'
import type { Answer, Call } from './call.ts'
import type { AnyExceptions } from './exceptions.ts'
import type { Handler, OperationTypes } from './operation.ts'
import type { Redact } from './redact.ts'

/** One AWS service at the shared endpoint: how its calls are told apart, read and answered. */
export interface Surface {
  readonly protocol: 'json' | 'query'
  /** The name that signatures are scoped to and that actions begin with: `ecr`, `sts`. Undefined where any will do. */
  readonly service: string | undefined
  readonly exceptions: AnyExceptions
  /** The name of the operation that the call asks for; undefined when the call is not for this surface. */
  recognise(call: Call): string | undefined
  find(name: string): Operation | undefined
  /** Why an operation is not found: the service does not have it, or nobody serves it yet. */
  missing(name: string): AwsError
  writeError(error: AwsError, requestId: string): Answer
}

/** An operation as the dispatcher runs it: its handler, between a reader and a writer that agree with the handler's types. */
export interface Operation {
  readonly name: string
  readonly handler: AnyHandler
  /** The names of the exceptions it may answer beside the common ones; undefined where nobody checks. */
  readonly errors: ReadonlySet<string> | undefined
  /** The input, parsed and validated. @throws AwsError */
  read(call: Call): object
  /** Rejects where answers are verified and this one is not what the model promises. */
  write(output: object, requestId: string): Promise<Answer>
  /** What an audit record tells of an input and of an output. */
  readonly redactInput: Redact
  readonly redactOutput: Redact
}

/** A handler that stands in a table beside others, so that only its own operation's reader knows what its input is. */
export type AnyHandler = Handler<OperationTypes>
