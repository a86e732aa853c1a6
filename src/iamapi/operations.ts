import type { Handlers } from '#aws/operation.ts'
import { type AccessKeyParts, accessKeyOperations } from './access-keys.ts'
import { type AccountParts, accountOperations } from './account.ts'
import { type GroupParts, groupOperations } from './groups.ts'
import type { Operations } from './model.ts'
import { type OidcProviderParts, oidcProviderOperations } from './oidc-providers.ts'
import { type OwnerPolicyParts, ownerPolicyOperations } from './owner-policies.ts'
import { type PolicyParts, policyOperations } from './policies.ts'
import { type PolicyVersionParts, policyVersionOperations } from './policy-versions.ts'
import { type RoleParts, roleOperations } from './roles.ts'
import { type SimulationParts, simulationOperations } from './simulation.ts'
import { type UserParts, userOperations } from './users.ts'

/** What the operations need of the domain. */
export type IamParts = UserParts &
  AccessKeyParts &
  GroupParts &
  RoleParts &
  OwnerPolicyParts &
  PolicyParts &
  PolicyVersionParts &
  OidcProviderParts &
  AccountParts &
  SimulationParts

/** Every operation of the IAM API that the model has. */
export function iamOperations(parts: IamParts) {
  return {
    ...userOperations(parts),
    ...accessKeyOperations(parts),
    ...groupOperations(parts),
    ...roleOperations(parts),
    ...ownerPolicyOperations(parts),
    ...policyOperations(parts),
    ...policyVersionOperations(parts),
    ...oidcProviderOperations(parts),
    ...accountOperations(parts),
    ...simulationOperations(parts),
  } satisfies Handlers<Operations>
}
