import type { Clock } from '#lib/clock.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { ChangeIam } from './changes.ts'
import { createOidcProviders } from './federation/oidc-providers.ts'
import { createGroups } from './identities/groups.ts'
import { createOwners } from './identities/owners.ts'
import { createRoles } from './identities/roles.ts'
import { createEntityCounts } from './identities/summary.ts'
import { createUsers } from './identities/users.ts'
import { createManagedKeys } from './keys/access-keys.ts'
import { createAttachments } from './policies/attachments.ts'
import { createBoundaries } from './policies/boundaries.ts'
import { createInlinePolicies } from './policies/inline.ts'
import { createManagedPolicies } from './policies/managed.ts'
import { createPolicyVersions } from './policies/versions.ts'
import { type PrincipalChanged, renameInTrustPolicies } from './principal-changes.ts'

/** Everything by which identities, their keys and their policies are managed, over one database. */
export interface ManagementParts {
  readonly reader: Reader
  readonly change: ChangeIam
  readonly clock: Clock
  /** Told, beside the trust policies, of users and roles that go by another name or are gone. They may only write rows. */
  readonly principalChanged: readonly PrincipalChanged[]
  /** Seals secrets for the database. */
  readonly box: { seal(text: string): string }
}

export function createManagement(given: ManagementParts) {
  const parts = { ...given, principalChanged: [renameInTrustPolicies, ...given.principalChanged] }
  return {
    owners: createOwners(parts),
    users: createUsers(parts),
    groups: createGroups(parts),
    roles: createRoles(parts),
    policies: createManagedPolicies(parts),
    versions: createPolicyVersions(parts),
    providers: createOidcProviders(parts),
    keys: createManagedKeys(parts),
    inline: createInlinePolicies(parts),
    attachments: createAttachments(parts),
    boundaries: createBoundaries(parts),
    countEntities: createEntityCounts(parts),
  }
}
