import type { Principal } from '#iam/principal.ts'
import type { Registry } from '#names/registry.ts'

/**
 * How a service's operations are declared: which resource a call touches, and what answers it. Everything around that
 * (signature, parsing, validation, authorization, writing) is the dispatcher's and is the same for all.
 */

/** One entry of a service's generated `Operations`. */
export interface OperationTypes {
  readonly input: object
  readonly output: object
  /** The names of the exceptions that the model lists. */
  readonly errors: string
}

export interface HandlerRequest<Input> {
  readonly input: Input
  /** The account that the input's `registryId` names, or else the caller's, in the region of the signature. */
  readonly registry: Registry
  readonly principal: Principal
  readonly requestId: string
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
}

export type ResourceRequest<Input> = Pick<HandlerRequest<Input>, 'input' | 'registry' | 'principal'>

type Resources = string | readonly string[]

export interface Handler<Operation extends OperationTypes> {
  /**
   * The ARNs that the caller must be allowed to act on (`'*'` for an action without a resource), or `unrestricted` for
   * an operation that asks for no permission, only for a valid signature. A promise where an ARN has to be looked up.
   */
  readonly resource: 'unrestricted' | ((request: ResourceRequest<Operation['input']>) => Resources | Promise<Resources>)
  /** Actions needed beside the operation's own, on the same resources, such as `ecr:TagResource`. */
  readonly also?: (input: Operation['input']) => readonly string[]
  /** Condition keys of the service that the input gives values to, such as `ecr:AccountSetting`. */
  readonly conditions?: (
    request: ResourceRequest<Operation['input']>,
  ) => Iterable<readonly [key: string, value: string | readonly string[]]>
  /** Actions any one of which suffices in place of the operation's own, on the same resources. */
  readonly instead?: readonly string[]
  /** Shapes of the model whose constraints the handler answers for, because ECR reports them per item. */
  readonly unchecked?: readonly string[]
  /** The most that a request's body may have, for an operation whose input is large; `defaultMaxBodyBytes` otherwise. */
  readonly maxBodyBytes?: number
  readonly handle: (request: HandlerRequest<Operation['input']>) => Promise<Operation['output']>
}

/** The handlers of some of a service's operations, each typed by its own input and output. */
export type Handlers<
  Operations extends { [Name in keyof Operations]: OperationTypes },
  Names extends keyof Operations = keyof Operations,
> = { readonly [Name in Names]: Handler<Operations[Name]> }

/** Returns when `principal` may do `action` (`ecr:PutImage`) on `resource`. @throws Refusal when it may not */
export type Authorize = (principal: Principal, action: string, resource: string) => void | Promise<void>
