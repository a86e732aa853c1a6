import type { Handlers } from '#aws/operation.ts'
import { leavesAccess } from '#iam/authorize.ts'
import { printPolicy } from '#iam/policy/print.ts'
import type { RegistryPolicies } from '#registry/registry-policies.ts'
import type { RepositoryPolicies } from '#registry/repository-policies.ts'
import type { Operations } from './model.ts'
import { repositoryKey, repositoryResource } from './request.ts'

/** Policies of repositories and of registries. They act from the moment they are set (`registry/resource-side.ts`). */
export interface PolicyParts {
  readonly repositoryPolicies: RepositoryPolicies
  readonly registryPolicies: RegistryPolicies
}

export function policyOperations({ repositoryPolicies, registryPolicies }: PolicyParts) {
  return {
    SetRepositoryPolicy: {
      resource: repositoryResource,
      handle: async (request) => {
        const { input, registry, principal, circumstances } = request
        const { repositoryName, policyText, force = false } = input
        const setting = { action: 'ecr:SetRepositoryPolicy', resource: repositoryResource(request) }
        await repositoryPolicies.set(
          repositoryKey(request),
          policyText,
          force ? undefined : (policy) => leavesAccess({ ...setting, registry, principal, circumstances }, policy),
        )
        return { registryId: registry.account, repositoryName, policyText: printPolicy(policyText) }
      },
    },

    GetRepositoryPolicy: {
      resource: repositoryResource,
      handle: async (request) => {
        const policyText = printPolicy(await repositoryPolicies.get(repositoryKey(request)))
        return { registryId: request.registry.account, repositoryName: request.input.repositoryName, policyText }
      },
    },

    DeleteRepositoryPolicy: {
      resource: repositoryResource,
      handle: async (request) => {
        const policyText = printPolicy(await repositoryPolicies.delete(repositoryKey(request)))
        return { registryId: request.registry.account, repositoryName: request.input.repositoryName, policyText }
      },
    },

    PutRegistryPolicy: {
      resource: () => '*',
      handle: async ({ input: { policyText }, registry }) => {
        await registryPolicies.put(registry, policyText)
        return { registryId: registry.account, policyText: printPolicy(policyText) }
      },
    },

    GetRegistryPolicy: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        policyText: printPolicy(await registryPolicies.get(registry)),
      }),
    },

    DeleteRegistryPolicy: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        policyText: printPolicy(await registryPolicies.delete(registry)),
      }),
    },
  } satisfies Handlers<
    Operations,
    | 'SetRepositoryPolicy'
    | 'GetRepositoryPolicy'
    | 'DeleteRepositoryPolicy'
    | 'PutRegistryPolicy'
    | 'GetRegistryPolicy'
    | 'DeleteRegistryPolicy'
  >
}
