import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { readAccountSetting } from './account-settings.ts'
import { refuse } from './refusals.ts'
import { registryPolicySetting, type StoredRegistryPolicy } from './registry-policy.ts'
import { readResourcePolicy } from './resource-policy.ts'
import { lockSetting, type RegistrySettings } from './settings.ts'

/** The policy of a registry (ECR user guide, "Private registry permissions"): one document, replaced whole, in force at once. */
export interface RegistryPolicies {
  /** @throws Refusal `ResourcePolicyInvalid`, `ResourcePolicyPrincipalNotFound` */
  put(registry: Registry, text: string): Promise<void>
  /** As it was put. @throws Refusal `RegistryPolicyNotFound` */
  get(registry: Registry): Promise<string>
  /** Answers what it was. @throws Refusal `RegistryPolicyNotFound` */
  delete(registry: Registry): Promise<string>
}

const kinds = { V1: 'registry V1', V2: 'registry' } as const

export function createRegistryPolicies({
  metadata,
  settings,
}: {
  readonly metadata: Metadata
  readonly settings: RegistrySettings
}): RegistryPolicies {
  return {
    put: (registry, text) =>
      metadata.transaction(async (trx) => {
        // The lock that the scope is changed under too, so that the policy fits the scope of the moment it is put.
        await lockSetting(trx, registry, registryPolicySetting)
        const scope = await readAccountSetting(trx, registry, 'REGISTRY_POLICY_SCOPE')
        await readResourcePolicy(trx, text, kinds[scope])
        await settings.put(registry, registryPolicySetting, { text }, trx)
      }),
    get: async (registry) => textOf(registry, await settings.get(registry, registryPolicySetting)),
    delete: async (registry) => textOf(registry, await settings.delete(registry, registryPolicySetting)),
  }
}

function textOf(registry: Registry, policy: StoredRegistryPolicy | undefined): string {
  if (policy === undefined) throw refuse('RegistryPolicyNotFound', { registry })
  return policy.text
}
