// Generated from model.json by 'npm run generate'. Do not edit.
import type { JsonModel } from '#aws/api-model.ts'
import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as JsonModel

/** Every operation of the API, by name. */
export interface Operations {
  LookupEvents: {
    readonly input: LookupEventsRequest
    readonly output: LookupEventsResponse
    readonly errors:
      | 'InvalidLookupAttributesException'
      | 'InvalidTimeRangeException'
      | 'InvalidMaxResultsException'
      | 'InvalidNextTokenException'
      | 'InvalidEventCategoryException'
      | 'UnsupportedOperationException'
      | 'OperationNotPermittedException'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export interface Event {
  readonly EventId?: string | undefined
  readonly EventName?: string | undefined
  readonly ReadOnly?: string | undefined
  readonly AccessKeyId?: string | undefined
  readonly EventTime?: Date | undefined
  readonly EventSource?: string | undefined
  readonly Username?: string | undefined
  readonly Resources?: readonly Resource[] | undefined
  readonly CloudTrailEvent?: string | undefined
}

export type EventCategory = 'insight'

export interface LookupAttribute {
  readonly AttributeKey: LookupAttributeKey
  readonly AttributeValue: string
}

export type LookupAttributeKey =
  | 'EventId'
  | 'EventName'
  | 'ReadOnly'
  | 'Username'
  | 'ResourceType'
  | 'ResourceName'
  | 'EventSource'
  | 'AccessKeyId'

export interface LookupEventsRequest {
  readonly LookupAttributes?: readonly LookupAttribute[] | undefined
  readonly StartTime?: Date | undefined
  readonly EndTime?: Date | undefined
  readonly EventCategory?: EventCategory | undefined
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
}

export interface LookupEventsResponse {
  readonly Events?: readonly Event[] | undefined
  readonly NextToken?: string | undefined
}

export interface Resource {
  readonly ResourceType?: string | undefined
  readonly ResourceName?: string | undefined
}
