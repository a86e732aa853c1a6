import type { Handlers } from '#aws/operation.ts'
import type { Operations } from './model.ts'

/** The registry as a whole. */
export function registryOperations() {
  return {
    DescribeRegistry: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        // A registry whose replication nobody has configured has no rules.
        replicationConfiguration: { rules: [] },
      }),
    },
  } satisfies Handlers<Operations, 'DescribeRegistry'>
}
