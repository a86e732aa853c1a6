import type { Exceptions } from '#aws/exceptions.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import type { ErrorName } from './model.ts'
import type { CloudTrailRefusals } from './refusals.ts'

/** Every refusal that reaches this surface, in CloudTrail's manner (CloudTrail API reference, LookupEvents). */
type Refusals = Pick<IamRefusals, 'AccessDenied'> & CloudTrailRefusals

export const exceptions: Exceptions<Refusals, ErrorName | 'AccessDeniedException'> = {
  AccessDenied: ['AccessDeniedException', accessDeniedText],
  LookupAttributesInvalid: [
    'InvalidLookupAttributesException',
    ({ problem }) =>
      ({
        several: 'You can specify only one lookup attribute.',
        key: 'The attribute key is none of EventId, EventName, ReadOnly, Username, ResourceType, ResourceName, EventSource and AccessKeyId.',
        value: 'The attribute value must have from 1 to 2000 characters.',
      })[problem],
  ],
  MaxResultsInvalid: [
    'InvalidMaxResultsException',
    ({ given }) => `A max results value of ${given} is invalid. Specify max results between 1 and 50.`,
  ],
  TimeRangeInvalid: ['InvalidTimeRangeException', () => 'The start time must not be after the end time.'],
  NextTokenInvalid: ['InvalidNextTokenException', () => 'Invalid Next Token'],
}
