import type { Handlers } from '#aws/operation.ts'
import type { AssumeRequest, RoleRequest, RoleSession, RoleSessions } from '#iam/role-sessions.ts'
import { requestConditions } from '#iam/session-facts.ts'
import { refuseSession } from '#iam/session-refusals.ts'
import type { TemporaryCredentials } from '#iam/sessions.ts'
import { isArn } from '#names/arn.ts'
import type { AssumeRoleRequest, Credentials, Operations, PolicyDescriptorType } from './model.ts'
import { refuse } from './refusals.ts'

/** Taking on a role, by somebody with credentials and by somebody for whom an identity provider vouches. */
export function roleOperations({ roleSessions }: { readonly roleSessions: RoleSessions }) {
  return {
    AssumeRole: {
      // Decided where the role's trust policy is at hand, without which nothing allows it.
      resource: 'unrestricted',
      // For the record, so that the same question can be asked again.
      conditions: ({ input }) => requestConditions(assumeRequest(input)),
      handle: async ({ input, principal, circumstances }) => {
        requireArn(input.RoleArn)
        refuseMfa(input)
        const session = await roleSessions.assume(principal, assumeRequest(input), circumstances)
        const { sourceIdentity: SourceIdentity } = session
        return { ...sessionShape(session), ...(SourceIdentity !== undefined && { SourceIdentity }) }
      },
    },
    AssumeRoleWithWebIdentity: {
      unsigned: true,
      handle: async ({ input, circumstances }) => {
        requireArn(input.RoleArn)
        const session = await roleSessions.assumeWithWebIdentity(
          input.WebIdentityToken,
          roleRequest(input),
          circumstances,
        )
        const { subject, audience, provider } = session.identity
        return {
          ...sessionShape(session),
          SubjectFromWebIdentityToken: subject,
          Audience: audience,
          Provider: `https://${provider.url}`,
        }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

/** @throws Refusal `ArnInvalid` */
function requireArn(text: string): void {
  if (!isArn(text)) throw refuse('ArnInvalid', { text })
}

/** @throws Refusal `MfaUnknown` */
export function refuseMfa(input: {
  readonly SerialNumber?: string | undefined
  readonly TokenCode?: string | undefined
}) {
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined) throw refuseSession('MfaUnknown', {})
}

function assumeRequest(input: AssumeRoleRequest): AssumeRequest {
  return {
    ...roleRequest(input),
    externalId: input.ExternalId,
    tags: (input.Tags ?? []).map(({ Key: key, Value: value }) => ({ key, value })),
    transitiveTagKeys: input.TransitiveTagKeys ?? [],
    sourceIdentity: input.SourceIdentity,
  }
}

function roleRequest(input: {
  readonly RoleArn: string
  readonly RoleSessionName: string
  readonly DurationSeconds?: number | undefined
  readonly Policy?: string | undefined
  readonly PolicyArns?: readonly PolicyDescriptorType[] | undefined
}): RoleRequest {
  return {
    roleArn: input.RoleArn,
    sessionName: input.RoleSessionName,
    seconds: input.DurationSeconds,
    policies: { document: input.Policy, arns: (input.PolicyArns ?? []).flatMap(({ arn = [] }) => arn) },
  }
}

function sessionShape({ credentials, userId, arn }: RoleSession) {
  return { Credentials: credentialsShape(credentials), AssumedRoleUser: { AssumedRoleId: userId, Arn: arn } }
}

export function credentialsShape(credentials: TemporaryCredentials): Credentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: new Date(expiresAt),
  }
}
