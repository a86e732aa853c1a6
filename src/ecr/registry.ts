import type { Handlers } from '#aws/operation.ts'
import type { AccountSettings } from '#registry/account-settings.ts'
import type { Replication } from '#replication/replication.ts'
import type { Operations } from './model.ts'
import { describeReplication } from './replication.ts'

/** The registry as a whole, and ECR's account settings, which are its own. */
export interface RegistryParts {
  readonly accountSettings: AccountSettings
  readonly replication: Replication
}

export function registryOperations({ accountSettings, replication }: RegistryParts) {
  return {
    DescribeRegistry: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        replicationConfiguration: describeReplication(await replication.getRules(registry)),
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
