import { defineSetting } from './settings.ts'

/** The registry policy as it is kept: the text that was put, which had been parsed by the scope of that time. */
export interface StoredRegistryPolicy {
  readonly text: string
}

export const registryPolicySetting = defineSetting({
  name: 'policy',
  // Only a policy that was parsed is put.
  parse: (document) => document as StoredRegistryPolicy,
  fallback: undefined,
})
