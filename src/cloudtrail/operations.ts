import type { AuditEvent, AuditLookup, EventKey } from '#audit/lookup.ts'
import type { Handlers } from '#aws/operation.ts'
import type { Clock } from '#lib/clock.ts'
import { parsePageToken, printPageToken } from '#lib/page.ts'
import type { Event, LookupEventsRequest, Operations } from './model.ts'
import { refuse } from './refusals.ts'

export interface CloudTrailParts {
  readonly auditLookup: AuditLookup
  readonly clock: Clock
}

/** Imposed by CloudTrail (API reference, LookupEvents). */
const mostResults = 50
const longestValue = 2_000

/** The trail of the caller's account, in the region that the call is signed for. */
export function cloudTrailOperations({ auditLookup, clock }: CloudTrailParts) {
  return {
    LookupEvents: {
      // Answered for here, since CloudTrail has an exception for each.
      unchecked: ['LookupAttributeKey', 'LookupAttributeValue', 'MaxResults'],
      resource: () => '*',
      handle: async ({ input, principal: { account }, registry: { region } }) => {
        const { NextToken, MaxResults: limit = mostResults, StartTime, EndTime } = input
        if (limit < 1 || limit > mostResults) throw refuse('MaxResultsInvalid', { given: limit })
        const [from, to] = [StartTime?.getTime() ?? 0, EndTime === undefined ? clock() : endOfSecond(EndTime.getTime())]
        if (from > to) throw refuse('TimeRangeInvalid', {})
        const attribute = attributeOf(input)
        const scope = ['LookupEvents', account, region, attribute, StartTime, EndTime]
        const after = NextToken === undefined ? undefined : parseKey(parsePageToken(scope, NextToken, 2))
        // None of what Insights finds: nobody looks for it here.
        if (input.EventCategory === 'insight') return { Events: [] }
        const page = await auditLookup.list({ account, region }, { attribute, from, to, limit, after })
        const { next } = page
        return {
          Events: page.items.map(describeEvent),
          ...(next && { NextToken: printPageToken(scope, [String(next.at), String(next.id)]) }),
        }
      },
    },
  } satisfies Handlers<Operations>
}

/** Events tell their time in whole seconds: one that ends a range is in it. */
function endOfSecond(at: number): number {
  return at % 1_000 === 0 ? at + 999 : at
}

/** @throws Refusal `LookupAttributesInvalid` */
function attributeOf({ LookupAttributes: attributes = [] }: LookupEventsRequest) {
  const [attribute, ...others] = attributes
  if (others.length > 0) throw refuse('LookupAttributesInvalid', { problem: 'several' })
  if (attribute === undefined) return undefined
  const { AttributeKey: key, AttributeValue: value } = attribute
  if (!keys.has(key)) throw refuse('LookupAttributesInvalid', { problem: 'key' })
  if (value === '' || value.length > longestValue) throw refuse('LookupAttributesInvalid', { problem: 'value' })
  return { key, value }
}

const keys: ReadonlySet<string> = new Set([
  ...['EventId', 'EventName', 'ReadOnly', 'Username', 'ResourceType', 'ResourceName', 'EventSource', 'AccessKeyId'],
])

/** @throws Refusal `NextTokenInvalid` */
function parseKey(key: readonly string[] | undefined): EventKey {
  const [at, id] = (key ?? []).map(Number)
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(id)) throw refuse('NextTokenInvalid', {})
  return { at: Number(at), id: Number(id) }
}

function describeEvent(event: AuditEvent): Event {
  const { eventId, name, source, readOnly, username, accessKeyId, resource, record, at } = event
  return {
    EventId: eventId,
    EventName: name,
    ReadOnly: String(readOnly),
    AccessKeyId: accessKeyId,
    EventTime: new Date(at - (at % 1_000)),
    EventSource: source,
    Username: username,
    Resources: resource === undefined ? [] : [{ ResourceType: resource.type, ResourceName: resource.name }],
    CloudTrailEvent: record,
  }
}
