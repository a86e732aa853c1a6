import { defineSetting } from './settings.ts'

/** The registry policy as it is kept: the text that was put, which had been parsed by the scope of that time. */
export interface StoredRegistryPolicy {
  readonly text: string
}

/**
 * Put by whoever has read the scope under lock first (`lockSetting`), as the scope is put by who has read the policy so:
 * the two agree whichever comes first.
 */
export const registryPolicySetting = defineSetting({
  name: 'policy',
  // Only a policy that was parsed is put.
  parse: (document) => document as StoredRegistryPolicy,
  fallback: undefined,
})
