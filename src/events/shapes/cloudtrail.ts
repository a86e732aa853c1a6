import { type NewEvent, orderKey } from '#events/event.ts'
import { isAccountId } from '#names/account.ts'
import { isRegion } from '#names/region.ts'
import { isRepositoryName } from '#names/repository-name.ts'

/**
 * Records of the audit trail as events (EventBridge user guide, "AWS service events delivered via AWS CloudTrail"): calls that were
 * answered and may have changed something, and what the server did of itself. EventBridge leaves out calls that only read, too. It has
 * refused calls, which are left out here: a caller without permissions could make any number of these events.
 */
export interface TrailRecord {
  readonly account: string
  readonly region: string
  readonly at: number
  /** `ecr.amazonaws.com`. */
  readonly source: string
  readonly name: string
  readonly resource_type?: string | null
  readonly resource_name?: string | null
  /** 1 for what may have changed something. */
  readonly lasting: number
  /** JSON in CloudTrail's form. */
  readonly record: string
}

/** The members of a record that say what kind of event it is. */
interface RecordDocument extends Record<string, unknown> {
  readonly eventType: string
  readonly resources?: readonly { readonly ARN: string }[]
  readonly serviceEventDetails?: Readonly<Record<string, unknown>>
}

export function trailEvents(records: readonly TrailRecord[]): NewEvent[] {
  return records.filter(({ lasting }) => lasting === 1).flatMap(trailEvent)
}

function trailEvent({ account, region, at, source, name, record, ...resource }: TrailRecord): NewEvent[] {
  if (!isAccountId(account) || !isRegion(region)) return []
  // The audit trail writes its records in this form.
  const document = JSON.parse(record) as RecordDocument
  const named = resource.resource_type === 'AWS::ECR::Repository' ? (resource.resource_name ?? '') : ''
  const repository = isRepositoryName(named) ? named : undefined
  const common = { account, region, at, orderKey: orderKey({ account, region }, repository) }
  // The audit trail keeps some of ECR's own events.
  if (name.startsWith('ECR ')) {
    const resources = (document.resources ?? []).map(({ ARN }) => ARN)
    const detail = document.serviceEventDetails ?? {}
    return [{ ...common, source: 'aws.ecr', detailType: name, resources, detail }]
  }
  const isOfService = document.eventType === 'AwsServiceEvent'
  if (isOfService && !serviceEvents.has(name)) return []
  const kind = isOfService ? 'AWS Service Event' : 'AWS API Call'
  return [
    { ...common, source: sourceOf(source), detailType: `${kind} via CloudTrail`, resources: [], detail: document },
  ]
}

/** Those that ECR has. The audit trail has others of our own, about what has an event of its own here. */
const serviceEvents: ReadonlySet<string> = new Set(['PolicyExecutionEvent', 'DryRunEvent', 'ImageActivationEvent'])

/** `ecr.amazonaws.com` is `aws.ecr`. What Lading's own API does is no event of AWS's. */
function sourceOf(eventSource: string): string {
  const service = eventSource.replace(/\.amazonaws\.com$/, '')
  return service === 'lading' ? 'lading' : `aws.${service}`
}
