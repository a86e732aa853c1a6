import { userAgentOf } from '#iam/circumstances.ts'
import type { Caller, Principal } from '#iam/principal.ts'
import type { AuditedCall } from './call.ts'
import { isReadOnly } from './read-only.ts'
import { parseResource } from './resources.ts'

/**
 * An event in CloudTrail's form (CloudTrail user guide, "CloudTrail record contents"; ECR user guide, "Logging Amazon ECR actions
 * with AWS CloudTrail"). Departs in one thing: where AWS writes `ecr.amazonaws.com` as the source of what reaches it by docker,
 * this has the client's address and user agent.
 */
export interface EventIds {
  readonly event: string
  /** The same in the records of one event in several accounts. */
  readonly shared: string | undefined
  /** In whose trail the record is. */
  readonly recipient: string
}

/** How many alike calls one record stands for, and when the last of them was. */
export interface Repeats {
  readonly count: number
  readonly lastAt: number
}

/** As long as a text of a caller's may be that has no other limit. */
const longestText = 1_024

export function recordOf(call: AuditedCall, ids: EventIds, { count, lastAt }: Repeats): Record<string, unknown> {
  const { service, name, principal, circumstances, error } = call
  const resources = call.resources.flatMap((arn) => parseResource(arn) ?? [])
  return {
    eventVersion: '1.11',
    userIdentity: principal === undefined ? { type: 'WebIdentityUser' } : userIdentity(principal),
    eventTime: seconds(circumstances.now),
    eventSource: sourceOf(service),
    eventName: name,
    awsRegion: regionOf(call),
    sourceIPAddress: circumstances.sourceIp,
    userAgent: userAgentOf(circumstances) ?? '',
    ...(error !== undefined && { errorCode: error.code, errorMessage: cut(error.message) }),
    requestParameters: parsed(call.parameters),
    responseElements: parsed(call.response),
    ...(count > 1 && { additionalEventData: { count, lastEventTime: seconds(lastAt) } }),
    requestID: call.requestId,
    eventID: ids.event,
    readOnly: isReadOnly(name),
    ...(resources.length > 0 && {
      resources: resources.map(({ arn, account, type }) => ({ accountId: account, type, ARN: arn })),
    }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ids.recipient,
    ...(ids.shared !== undefined && { sharedEventID: ids.shared }),
    eventCategory: 'Management',
  }
}

export function sourceOf(service: string): string {
  return `${service}.amazonaws.com`
}

/** Where nobody signed for a region it is that of AWS's global endpoints. */
export function regionOf({ circumstances }: AuditedCall): string {
  return circumstances.region ?? 'us-east-1'
}

/** What `lookup-events` calls a user: a name, a session's name, or `root`. */
export function usernameOf({ kind, name, arn }: Caller): string {
  if (kind === 'root') return 'root'
  return name ?? arn.slice(arn.lastIndexOf('/') + 1)
}

function userIdentity(principal: Caller): Record<string, unknown> {
  // As CloudTrail writes a caller without credentials in its records of Amazon S3.
  if (principal.kind === 'anonymous') {
    return { type: 'AWSAccount', principalId: principal.userId, accountId: 'ANONYMOUS_PRINCIPAL' }
  }
  const { kind, userId, arn, account, accessKeyId, name } = principal
  return {
    type: { root: 'Root', user: 'IAMUser', role: 'AssumedRole' }[kind],
    ...{ principalId: userId, arn, accountId: account, accessKeyId },
    ...(name !== undefined && { userName: name }),
    ...sessionContext(principal),
  }
}

function sessionContext({ kind, session, identityId, identityArn, account }: Principal) {
  if (session === undefined) return undefined
  const issuer = {
    type: 'Role',
    principalId: identityId,
    arn: identityArn,
    accountId: account,
    userName: identityArn.slice(identityArn.lastIndexOf('/') + 1),
  }
  const provider = session.facts['aws:FederatedProvider']
  return {
    sessionContext: {
      ...(kind === 'role' && { sessionIssuer: issuer }),
      ...(provider !== undefined && { webIdFederationData: { federatedProvider: provider } }),
      attributes: { creationDate: seconds(session.issuedAt), mfaAuthenticated: 'false' },
    },
  }
}

/** As CloudTrail writes a time. */
export function seconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? null : JSON.parse(json)
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text
}
