import { randomUUID } from 'node:crypto'
import type { AccountId } from '#names/account.ts'
import type { Region } from '#names/region.ts'
import { seconds } from './record.ts'
import { parseResource } from './resources.ts'
import { type AuditRow, bytesOf, column } from './rows.ts'

/** Something that the registry did of itself, or found, and that nobody called for (CloudTrail user guide, "AWS service events"). */
export interface ServiceEvent {
  /** Whose registry it is about, in which region. */
  readonly account: AccountId
  readonly region: Region
  /** `PolicyExecutionEvent`. */
  readonly eventName: string
  /** The ARNs of what it is about. */
  readonly resources: readonly string[]
  /** What there is to say of it, as JSON has it; of a bounded size. */
  readonly details: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly at: number
}

const source = 'ecr.amazonaws.com'
/** How AWS writes that it was itself (ECR user guide, "Logging Amazon ECR actions with AWS CloudTrail"). */
const itself = 'AWS Internal'

/** The actor of what the registry did of itself. */
export const theServer = 'server'

/** Nobody asked for it, so that there is no request, no user and no key to find it by. */
export function rowOfServiceEvent(event: ServiceEvent): AuditRow {
  const { account, region, eventName, at } = event
  const id = randomUUID()
  const [resource] = event.resources.flatMap((arn) => parseResource(arn) ?? [])
  const record = JSON.stringify(recordOfServiceEvent(event, id))
  return {
    ...{ account, region, event_id: id, request_id: '', at, source, name: column(eventName), read_only: 1 },
    ...{ username: null, access_key_id: null, denial: null },
    resource_type: resource?.type ?? null,
    resource_name: resource === undefined ? null : column(resource.name),
    resource_arn: resource === undefined ? null : column(resource.arn),
    ...{ record, actor_account: account, actor: theServer, lasting: 1, bytes: bytesOf(record, null) },
  }
}

function recordOfServiceEvent(event: ServiceEvent, eventId: string): Record<string, unknown> {
  const { account, region, eventName, at, details } = event
  const resources = event.resources.flatMap((arn) => parseResource(arn) ?? [])
  return {
    eventVersion: '1.11',
    userIdentity: { accountId: account, invokedBy: itself },
    eventTime: seconds(at),
    eventSource: source,
    ...{ eventName, awsRegion: region, sourceIPAddress: itself, userAgent: itself },
    ...{ requestParameters: null, responseElements: null, eventID: eventId, readOnly: true },
    resources: resources.map((resource) => ({
      ARN: resource.arn,
      accountId: resource.account,
      type: resource.type,
    })),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: account,
    serviceEventDetails: details,
    eventCategory: 'Management',
  }
}
