import { isUtf8 } from 'node:buffer'
import { type AwsError, serializationFailure, unknownOperation } from './aws-error.ts'
import { type Answer, type Call, header } from './call.ts'
import type { AnyExceptions } from './exceptions.ts'
import type { Handlers, OperationTypes } from './operation.ts'
import type { AnyHandler, Operation, Surface } from './surface.ts'
import { type XmlElements, xmlDocument } from './xml.ts'

/**
 * A service that speaks the AWS query protocol: `Action=…&Version=…` as a form, or as the query of a `GET` (which is how
 * presigned calls travel), answered in XML.
 */
export interface QueryOperationTypes extends OperationTypes {
  /** The call's parameters by name, `Action` and `Version` among them. */
  readonly input: Readonly<Record<string, string>>
  readonly output: XmlElements
}

export interface QuerySurfaceParts<Operations extends { [Name in keyof Operations]: QueryOperationTypes }> {
  readonly service: string
  /** The API's version, such as `2011-06-15`: it tells the services of this protocol apart. */
  readonly version: string
  /** The namespace of the answers. */
  readonly namespace: string
  readonly handlers: Handlers<Operations>
  readonly exceptions: AnyExceptions
}

export function querySurface<Operations extends { [Name in keyof Operations]: QueryOperationTypes }>({
  service,
  version,
  namespace,
  handlers,
  exceptions,
}: QuerySurfaceParts<Operations>): Surface {
  const operations = new Map<string, Operation>()
  for (const [name, handler] of Object.entries(handlers)) {
    // The table's type ties each handler to the operation of its key.
    operations.set(name, queryOperation(name, namespace, handler as AnyHandler))
  }
  return {
    protocol: 'query',
    service,
    exceptions,
    recognise(call) {
      const parameters = readParameters(call)
      return parameters?.get('Version') === version ? (parameters.get('Action') ?? '') : undefined
    },
    find: (name) => operations.get(name),
    missing: unknownOperation,
    writeError: (error, requestId) => writeQueryError(error, namespace, requestId),
  }
}

function queryOperation(name: string, namespace: string, handler: AnyHandler): Operation {
  return {
    name,
    handler,
    errors: undefined,
    read: (call) => Object.fromEntries(readParameters(call) ?? []),
    write: (output, requestId) =>
      answer(
        200,
        xmlDocument(`${name}Response`, namespace, {
          // `QueryOperationTypes` bounds every output.
          [`${name}Result`]: output as XmlElements,
          ResponseMetadata: { RequestId: requestId },
        }),
        requestId,
      ),
  }
}

/** The parameters of a query call; undefined for a call of another protocol. @throws AwsError for a form that is none */
export function readParameters(call: Call): URLSearchParams | undefined {
  if (header(call, 'x-amz-target') !== undefined) return undefined
  if (header(call, 'content-type')?.startsWith('application/x-www-form-urlencoded')) {
    return readForm(call.body)
  }
  return call.query.has('Action') ? call.query : undefined
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
  IncompleteSignatureException: ['IncompleteSignature', 400],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  ServerException: ['InternalFailure', 500],
  ThrottlingException: ['Throttling', 400],
  UnknownOperationException: ['InvalidAction', 400],
  UnrecognizedClientException: ['InvalidClientTokenId', 403],
}

export function writeQueryError(error: AwsError, namespace: string, requestId: string): Answer {
  const [code, status] = queryNames[error.code] ?? [error.code, error.status]
  const body = xmlDocument('ErrorResponse', namespace, {
    Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: error.message },
    RequestId: requestId,
  })
  return answer(status, body, requestId)
}

function answer(status: number, body: string, requestId: string): Answer {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body }
}
