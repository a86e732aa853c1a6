import type { Handlers } from '#aws/operation.ts'
import type { AccountSettings } from '#registry/account-settings.ts'
import type { Operations } from './model.ts'

/** The registry as a whole, and ECR's account settings, which are its own. */
export interface RegistryParts {
  readonly accountSettings: AccountSettings
}

export function registryOperations({ accountSettings }: RegistryParts) {
  return {
    DescribeRegistry: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        // A registry whose replication nobody has configured has no rules.
        replicationConfiguration: { rules: [] },
      }),
    },

    GetAccountSetting: {
      resource: () => '*',
      conditions: ({ input }) => [['ecr:AccountSetting', input.name]],
      handle: ({ input, registry }) => accountSettings.get(registry, input.name),
    },

    PutAccountSetting: {
      resource: () => '*',
      conditions: ({ input }) => [['ecr:AccountSetting', input.name]],
      handle: ({ input, registry }) => accountSettings.put(registry, input.name, input.value),
    },
  } satisfies Handlers<Operations, 'DescribeRegistry' | 'GetAccountSetting' | 'PutAccountSetting'>
}
