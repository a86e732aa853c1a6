import type { HandlerRequest, Handlers } from '#aws/operation.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import type { Owners } from '#iam/identities/owners.ts'
import type { CountEntities } from '#iam/identities/summary.ts'
import type { Users } from '#iam/identities/users.ts'
import { rootName, userMeant, userMeantArn } from './callers.ts'
import type { Operations } from './model.ts'

export interface AccountParts {
  readonly users: Users
  readonly owners: Owners
  readonly countEntities: CountEntities
}

/**
 * What an account has in numbers, and the kinds of credential that nobody has here: passwords of a console, multi-factor
 * devices, certificates and keys of other services. Tools ask for them before they delete a user, and find none.
 */
export function accountOperations({ users, owners, countEntities }: AccountParts) {
  const resource = userMeantArn(owners)

  /** @throws Refusal `EntityNotFound` where the user is not there */
  async function requireUser({ input, principal }: Pick<HandlerRequest<UserInput>, 'input' | 'principal'>) {
    const name = userMeant(input, principal)
    if (name !== undefined) await users.get(principal.account, name)
    return name ?? rootName
  }

  const noLoginProfile = {
    resource,
    handle: async (request: Pick<HandlerRequest<UserInput>, 'input' | 'principal'>): Promise<never> => {
      throw refuseEntity('EntityNotFound', { kind: 'login profile', name: await requireUser(request) })
    },
  }

  return {
    GetAccountSummary: {
      resource: () => '*',
      handle: async ({ principal }) => ({ SummaryMap: summaryOf(await countEntities(principal.account)) }),
    },
    ListAccountAliases: { resource: () => '*', handle: async () => ({ AccountAliases: [], IsTruncated: false }) },

    GetLoginProfile: noLoginProfile,
    DeleteLoginProfile: noLoginProfile,
    ListMFADevices: {
      resource,
      handle: async (request) => {
        await requireUser(request)
        return { MFADevices: [], IsTruncated: false }
      },
    },
    ListVirtualMFADevices: {
      resource: () => '*',
      handle: async () => ({ VirtualMFADevices: [], IsTruncated: false }),
    },
    ListSigningCertificates: {
      resource,
      handle: async (request) => {
        await requireUser(request)
        return { Certificates: [], IsTruncated: false }
      },
    },
    ListSSHPublicKeys: {
      resource,
      handle: async (request) => {
        await requireUser(request)
        return { SSHPublicKeys: [], IsTruncated: false }
      },
    },
    ListServiceSpecificCredentials: {
      resource,
      handle: async (request) => {
        await requireUser(request)
        return { ServiceSpecificCredentials: [], IsTruncated: false }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

interface UserInput {
  readonly UserName?: string | undefined
}

/** The counts, and the quotas that are kept or that IAM has by default. */
function summaryOf(counts: Awaited<ReturnType<CountEntities>>) {
  return {
    Users: counts.users,
    UsersQuota: 5_000,
    Groups: counts.groups,
    GroupsQuota: 300,
    Roles: counts.roles,
    RolesQuota: 1_000,
    Policies: counts.policies,
    PoliciesQuota: 1_500,
    PolicyVersionsInUse: counts.policyVersions,
    PolicyVersionsInUseQuota: 10_000,
    Providers: counts.identityProviders,
    AccountAccessKeysPresent: counts.rootKeys > 0 ? 1 : 0,
    AccountMFAEnabled: 0,
    AccountPasswordPresent: 0,
    AccountSigningCertificatesPresent: 0,
    MFADevices: 0,
    MFADevicesInUse: 0,
    ServerCertificates: 0,
    ServerCertificatesQuota: 20,
    InstanceProfiles: 0,
    InstanceProfilesQuota: 1_000,
    AccessKeysPerUserQuota: 2,
    SigningCertificatesPerUserQuota: 2,
    GroupsPerUserQuota: 10,
    AttachedPoliciesPerUserQuota: 10,
    AttachedPoliciesPerGroupQuota: 10,
    AttachedPoliciesPerRoleQuota: 10,
    UserPolicySizeQuota: 2_048,
    GroupPolicySizeQuota: 5_120,
    RolePolicySizeQuota: 10_240,
    AssumeRolePolicySizeQuota: 2_048,
    PolicySizeQuota: 6_144,
    VersionsPerPolicyQuota: 5,
    GlobalEndpointTokenVersion: 1,
  }
}
