import { refusals } from '#lib/refusal.ts'

/** What this surface declines by itself. */
export interface CloudTrailRefusals {
  LookupAttributesInvalid: { readonly problem: 'several' | 'key' | 'value' }
  MaxResultsInvalid: { readonly given: number }
  TimeRangeInvalid: Record<string, never>
  NextTokenInvalid: Record<string, never>
}

export const refuse = refusals<CloudTrailRefusals>()
