import type { Circumstances, Conditions } from '#iam/circumstances.ts'
import type { Principal } from '#iam/principal.ts'
import type { ClientOrigin } from '#names/endpoints.ts'
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

/** What is known of a call before anything is done. */
export interface ResourceRequest<Input> {
  readonly input: Input
  /** The account that the input's `registryId` names, or else the caller's, in the region of the signature. */
  readonly registry: Registry
  readonly principal: Principal
}

export interface HandlerRequest<Input> extends ResourceRequest<Input> {
  readonly circumstances: Circumstances
  /** The address that the caller signed. Addresses in the output start from it. */
  readonly origin: ClientOrigin
  readonly requestId: string
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  /** What the caller was found to be allowed to act on; nothing for an operation that is `unrestricted`. */
  readonly resources: readonly Resource[]
  /** Whether the caller may also do this, where a refusal is no error. */
  may(action: string, resource: string): Promise<boolean>
  /** @throws Refusal `AccessDenied` unless the caller may also do this */
  require(action: string, resource: string): Promise<void>
}

export interface LargeBody {
  readonly maxBytes: number
  /**
   * Members of objects and entries of lists. A scan counts them before the text is parsed, because parsing a million of them holds the
   * event loop for a second.
   */
  readonly maxEntries: number
}

/** What every operation may say of itself. */
interface Declared<Input> {
  /** What it tells policies beyond what every request does, by condition key: `aws:RequestTag/team`. */
  readonly conditions?: (request: ResourceRequest<Input>) => Conditions
  /** Shapes of the model whose constraints the handler answers for, because ECR reports them per item. */
  readonly unchecked?: readonly string[]
  /** The limits of a request's body, for an operation with a large input; `defaultMaxBodyBytes` otherwise. */
  readonly largeBody?: LargeBody
}

export interface SignedHandler<Operation extends OperationTypes> extends Declared<Operation['input']> {
  readonly unsigned?: never
  /**
   * What the caller must be allowed to act on (`'*'` for an action without a resource), or `unrestricted` for
   * an operation that asks for no permission, only for a valid signature.
   */
  readonly resource: 'unrestricted' | ((request: ResourceRequest<Operation['input']>) => Resources | Promise<Resources>)
  /** What a denial calls the resource, for an operation that resolves a caller's name: the ARN would reveal that it exists. */
  readonly named?: (input: Operation['input']) => string
  /** Actions needed beside the operation's own, on the same resources, such as `ecr:TagResource`. */
  readonly also?: (input: Operation['input']) => readonly string[]
  /** Actions any of which stands in for the operation's own. */
  readonly instead?: readonly string[]
  readonly handle: (request: HandlerRequest<Operation['input']>) => Promise<Operation['output']>
}

type Resources = Resource | readonly Resource[]

/** By its ARN, and if it is one that was deleted, by its number too. */
export type Resource = string | DeletedResource

export interface DeletedResource {
  readonly arn: string
  readonly deleted: number
}

/** Answered without a signature: the operation itself proves who calls, as `AssumeRoleWithWebIdentity` does. */
export interface UnsignedHandler<Operation extends OperationTypes> extends Declared<Operation['input']> {
  readonly unsigned: true
  readonly handle: (request: UnsignedRequest<Operation['input']>) => Promise<Operation['output']>
}

export type UnsignedRequest<Input> = Pick<HandlerRequest<Input>, 'input' | 'circumstances' | 'requestId' | 'signal'>

export type Handler<Operation extends OperationTypes> = SignedHandler<Operation> | UnsignedHandler<Operation>

/** The handlers of some of a service's operations, each typed by its own input and output. */
export type Handlers<
  Operations extends { [Name in keyof Operations]: OperationTypes },
  Names extends keyof Operations = keyof Operations,
> = { readonly [Name in Names]: Handler<Operations[Name]> }
