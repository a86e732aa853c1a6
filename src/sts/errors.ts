import type { Exceptions } from '#aws/exceptions.ts'
import type { EntityRefusals } from '#iam/entity-refusals.ts'
import type { WebIdentityRefusals } from '#iam/federation/refusals.ts'
import type { PolicyRefusals } from '#iam/policy/refusals.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import type { SessionRefusals } from '#iam/session-refusals.ts'
import type { ErrorName } from './model.ts'
import type { StsRefusals } from './refusals.ts'

/** Every refusal that reaches this surface, as STS words it, or in its manner where its words are not known. */
type Refusals = Pick<IamRefusals, 'AccessDenied'> &
  Pick<EntityRefusals, 'EntityNotFound' | 'EntityQuotaExceeded' | 'EntityTagInvalid'> &
  PolicyRefusals &
  SessionRefusals &
  WebIdentityRefusals &
  StsRefusals

type ExceptionName = ErrorName | 'AccessDeniedException' | 'ThrottlingException' | 'ValidationError'

export const exceptions: Exceptions<Refusals, ExceptionName> = {
  // Without the reason that IAM's sentence has: it would tell a role that is not there from one that trusts somebody else.
  AccessDenied: [
    'AccessDeniedException',
    ({ principalArn, action, resource }) =>
      `User: ${principalArn} is not authorized to perform: ${action} on resource: ${resource}`,
  ],
  ArnInvalid: ['ValidationError', ({ text }) => `${text} is invalid`],
  EntityNotFound: ['MalformedPolicyDocument', ({ name }) => `Policy ${name} does not exist or is not attachable.`],
  EntityQuotaExceeded: ['ValidationError', ({ limit }) => `A session has at most ${limit} tags.`],
  EntityTagInvalid: [
    'InvalidParameterValue',
    ({ problem }) =>
      problem === 'repeated'
        ? 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
        : "Tag keys that begin with 'aws:' are reserved for system use.",
  ],
  KeyUnknown: ['ValidationError', ({ key }) => `The access key ${key} is not known here.`],
  MfaUnknown: ['AccessDeniedException', () => 'MultiFactorAuthentication failed with invalid MFA one time pass code.'],
  PolicyMalformed: ['MalformedPolicyDocument', ({ at }) => `Syntax errors in policy.${at === '' ? '' : ` See ${at}.`}`],
  ProviderUnreachable: [
    'IDPCommunicationError',
    ({ issuer }) => `Couldn't retrieve verification key from your identity provider ${issuer}`,
  ],
  RootAssumesRole: ['AccessDeniedException', () => 'Roles may not be assumed by root accounts.'],
  SessionOfSession: ['AccessDeniedException', () => 'Cannot call GetSessionToken with session credentials'],
  SessionPoliciesTooLarge: [
    'PackedPolicyTooLarge',
    ({ longestDocument, mostPolicies }) =>
      `A session takes a policy of at most ${longestDocument} characters, and at most ${mostPolicies} managed policies.`,
  ],
  // STS's code for too many calls, with which SDKs try again after a while.
  SessionQuotaExceeded: [
    'ThrottlingException',
    ({ limit, live }) =>
      live
        ? `Rate exceeded: the caller has ${limit} live sessions, which is its quota. Use one until it expires.`
        : `Rate exceeded: the caller has opened ${limit} sessions within hours, which is its quota. Use one until it expires.`,
  ],
  SessionTagKept: [
    'InvalidParameterValue',
    () =>
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
  ],
  SessionTooLong: [
    'ValidationError',
    ({ by }) =>
      by === 'role'
        ? 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
        : 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
  ],
  TransitiveTagMissing: [
    'InvalidParameterValue',
    () => 'The specified transitive tag key must be included in the requested tags.',
  ],
  SourceIdentityKept: ['ValidationError', () => "SourceIdentity can't be changed from that of the calling session."],
  WebIdentityExpired: [
    'ExpiredTokenException',
    ({ expiredAt, now }) =>
      `Token expired: current date/time ${seconds(now)} must be before the expiration date/time ${seconds(expiredAt)}`,
  ],
  WebIdentityInvalid: ['InvalidIdentityToken', ({ problem, issuer = '' }) => identityTexts[problem](issuer)],
  WebIdentityNotTrusted: ['AccessDeniedException', () => 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
}

const unverified = 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)'

const identityTexts: Readonly<
  Record<WebIdentityRefusals['WebIdentityInvalid']['problem'], (issuer: string) => string>
> = {
  token: () => unverified,
  subject: () => 'Missing a required claim: sub',
  provider: (issuer) => `No OpenIDConnect provider found in your account for ${issuer}`,
  audience: () => 'Incorrect token audience',
  algorithm: () => 'The ID Token is signed with an algorithm that is not supported.',
  keys: (issuer) => `No key of ${issuer} verifies the signature of the ID Token.`,
  signature: () => 'The ID Token signature is not valid.',
  'not yet': () => 'The ID Token is not valid yet.',
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
