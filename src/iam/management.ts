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

/** Everything by which identities, their keys and their policies are managed, over one database. */
export interface ManagementParts {
  readonly reader: Reader
  readonly change: ChangeIam
  readonly clock: Clock
  /** Seals secrets for the database. */
  readonly box: { seal(text: string): string }
}

export function createManagement(parts: ManagementParts) {
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
