import type { BodyRefusals } from '#http/bodies.ts'
import type { RateRefusals } from '#iam/request-rates.ts'

/**
 * An error as AWS clients know it: a name that they match on, a text for the person, a status. The kernel's own errors
 * are made here, under the names and with the texts of the JSON services (ECR API reference, "Common Errors").
 */

/** What any operation may answer beside the errors that its model lists. */
export const commonErrors: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  // Of quotas that AWS does not have, such as that of open uploads.
  'LimitExceededException',
  'MissingAuthenticationTokenException',
  'RequestEntityTooLargeException',
  'RequestTimeoutException',
  'SerializationException',
  'ThrottlingException',
  'UnknownOperationException',
  'UnrecognizedClientException',
  'UnsupportedOperationException',
  'ValidationError',
  'ValidationException',
])

export class AwsError extends Error {
  override readonly name = 'AwsError'
  /** The exception's name, such as `RepositoryNotFoundException`. */
  readonly code: string
  readonly status: number
  /** Further members of the exception, already in their JSON form. */
  readonly members: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, status = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.status = status
    this.members = members
  }
}

export function missingAuthentication(): AwsError {
  return new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token')
}

export function incompleteSignature(message: string): AwsError {
  return new AwsError('IncompleteSignatureException', message)
}

export function invalidSignature(message: string): AwsError {
  return new AwsError('InvalidSignatureException', message)
}

export function unrecognizedClient(): AwsError {
  return new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.')
}

export function expiredToken(): AwsError {
  return new AwsError('ExpiredTokenException', 'The security token included in the request is expired')
}

export function serializationFailure(message: string): AwsError {
  return new AwsError('SerializationException', message)
}

export function unknownOperation(name: string): AwsError {
  return new AwsError('UnknownOperationException', `The operation '${name}' is not known here.`)
}

export function unsupportedOperation(name: string): AwsError {
  return new AwsError('UnsupportedOperationException', `${name} is not served by this version of Lading.`)
}

type CallRefusals = BodyRefusals & RateRefusals

/**
 * A call that no operation refused: its body was not read, or its caller makes too many. SDKs send a slow body again, and back off where
 * there is no room.
 */
export const callErrors: { readonly [Code in keyof CallRefusals]: (facts: CallRefusals[Code]) => AwsError } = {
  BodyTooLarge: ({ maxBytes }) =>
    new AwsError('RequestEntityTooLargeException', `The request is larger than ${maxBytes} bytes.`, 413),
  BodyTooSlow: ({ deadlineMs }) =>
    new AwsError('RequestTimeoutException', `The request's body did not arrive within ${deadlineMs} ms.`, 408),
  BodiesTooMany: () => new AwsError('ThrottlingException', 'Rate exceeded'),
  RateExceeded: () => new AwsError('ThrottlingException', 'Rate exceeded'),
  BodyBrokeOff: () => serializationFailure('The request ended before its body did.'),
}

/** What a caller learns of a failure that is ours: its cause is in the log, under the same request id. */
export function serverFailure(): AwsError {
  return new AwsError('ServerException', 'The request failed inside the server. Its log names the cause.', 500)
}
