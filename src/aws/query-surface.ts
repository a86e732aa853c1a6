import { isUtf8 } from 'node:buffer'
import type { QueryModel } from './api-model.ts'
import { type AwsError, serializationFailure, unknownOperation, unsupportedOperation } from './aws-error.ts'
import { type Answer, type Call, type CallHead, header } from './call.ts'
import type { AnyExceptions } from './exceptions.ts'
import type { Handlers, OperationTypes } from './operation.ts'
import { compileUnflatten } from './query-input.ts'
import { compileElements } from './query-output.ts'
import { compileRedactor } from './redact.ts'
import { compileWriter } from './serialize.ts'
import type { AnyHandler, Operation, Surface } from './surface.ts'
import { type Constraints, compileReader } from './validate.ts'
import { compileVerifier, writing } from './verify-output.ts'
import { queryViolations } from './violations.ts'
import { xmlDocument } from './xml.ts'

/**
 * A service that speaks the AWS query protocol: `Action=…&Version=…` as a form, or as the query of a `GET` (which is how
 * presigned calls travel), answered in XML. Everything about its operations but their handlers comes from the model.
 */
export interface QuerySurfaceParts<Operations extends { [Name in keyof Operations]: OperationTypes }> {
  readonly model: QueryModel
  readonly handlers: Partial<Handlers<Operations>>
  readonly exceptions: AnyExceptions
  /** Where the service departs from its model's constraints, by shape. */
  readonly constraints: Readonly<Record<string, Constraints>>
  /** Shapes whose constraints the service's own answers break. */
  readonly uncheckedAnswers?: readonly string[]
  /** Check each answer and each exception's name against the model, for tests: what does not fit is an `InternalFailure`. */
  readonly verifyOutputs: boolean
}

export function querySurface<Operations extends { [Name in keyof Operations]: OperationTypes }>(
  parts: QuerySurfaceParts<Operations>,
): Surface {
  const { model, exceptions } = parts
  const { apiVersion, signingName, xmlNamespace } = model.metadata
  const operations = new Map<string, Operation>()
  for (const [name, handler] of Object.entries(parts.handlers)) {
    // The table's type ties each handler to the operation of its key, whose reader and writer are compiled here.
    operations.set(name, compileOperation(name, handler as AnyHandler, parts))
  }
  return {
    protocol: 'query',
    service: signingName,
    exceptions,
    recognise(call) {
      const parameters = readParameters(call)
      return parameters?.get('Version') === apiVersion ? (parameters.get('Action') ?? '') : undefined
    },
    find: (name) => operations.get(name),
    missing: (name) => (Object.hasOwn(model.operations, name) ? unsupportedOperation(name) : unknownOperation(name)),
    writeError(error, requestId) {
      const status = Object.hasOwn(model.errors, error.code) ? model.errors[error.code]?.httpStatus : undefined
      return writeQueryError(error, xmlNamespace, requestId, status)
    },
  }
}

function compileOperation(
  name: string,
  handler: AnyHandler,
  { model, constraints, uncheckedAnswers, verifyOutputs }: Omit<QuerySurfaceParts<never>, 'handlers' | 'exceptions'>,
): Operation {
  const types = model.operations[name]
  if (types === undefined) throw new Error(`the API model has no operation '${name}'`)
  const unflatten = compileUnflatten(model, types.input)
  const readInput = compileReader(model, types.input, {
    constraints,
    unchecked: handler.unchecked ?? [],
    violations: queryViolations,
  })
  const elementsOf = compileElements(model, types.output)
  const writeJson = compileWriter(model, types.output, { unknownMembers: 'refuse' })
  const verify = verifyOutputs ? compileVerifier(model, types.output, uncheckedAnswers) : undefined
  return {
    name,
    handler,
    errors: verifyOutputs ? new Set(types.errors) : undefined,
    redactInput: compileRedactor(model, types.input),
    redactOutput: compileRedactor(model, types.output),
    // A structure's reader gives an object.
    read: (call) => readInput(unflatten(readParameters(call) ?? new URLSearchParams()), '') as object,
    async write(output, requestId) {
      const body = await writing(name, () => {
        verify?.(JSON.stringify(writeJson(output)))
        return xmlDocument(`${name}Response`, model.metadata.xmlNamespace, {
          ...(types.resultWrapper !== undefined && { [types.resultWrapper]: elementsOf(output) }),
          ResponseMetadata: { RequestId: requestId },
        })
      })
      return answer(200, body, requestId)
    },
  }
}

/** The parameters of a query call; undefined for a call of another protocol. @throws AwsError for a form that is none */
export function readParameters(call: Call): URLSearchParams | undefined {
  if (header(call, 'x-amz-target') !== undefined) return undefined
  if (isForm(call)) return readForm(call.body)
  return call.query.has('Action') ? call.query : undefined
}

export function isForm(head: CallHead): boolean {
  return header(head, 'content-type')?.startsWith('application/x-www-form-urlencoded') ?? false
}

/** `URLSearchParams` repairs what is no UTF-8, in the open or percent-encoded, and something else would be done than was asked. */
function readForm(body: Buffer): URLSearchParams {
  const text = body.toString('utf8')
  if (!isUtf8(body) || !isPercentEncoded(text)) throw serializationFailure('The request is not a valid form.')
  return new URLSearchParams(text)
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The query services have other names, and other statuses, for the common errors (STS API reference, "Common Errors"). */
const queryNames: Readonly<Record<string, readonly [code: string, status: number]>> = {
  AccessDeniedException: ['AccessDenied', 403],
  ExpiredTokenException: ['ExpiredToken', 403],
  IncompleteSignatureException: ['IncompleteSignature', 400],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  SerializationException: ['MalformedInput', 400],
  ServerException: ['InternalFailure', 500],
  ThrottlingException: ['Throttling', 400],
  UnknownOperationException: ['InvalidAction', 400],
  UnrecognizedClientException: ['InvalidClientTokenId', 403],
}

/** `modelled` is the status that the service's model gives the error, if it does; its name is the service's own then. */
export function writeQueryError(error: AwsError, namespace: string, requestId: string, modelled?: number): Answer {
  const [code, status] =
    modelled === undefined ? (queryNames[error.code] ?? [error.code, error.status]) : [error.code, modelled]
  const body = xmlDocument('ErrorResponse', namespace, {
    Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: error.message },
    RequestId: requestId,
  })
  return answer(status, body, requestId)
}

function answer(status: number, body: string, requestId: string): Answer {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body }
}
