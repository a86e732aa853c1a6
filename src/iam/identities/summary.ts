import type { Reader } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'

/** How many entities an account has. */
export interface EntityCounts {
  readonly users: number
  readonly groups: number
  readonly roles: number
  readonly policies: number
  readonly policyVersions: number
  readonly identityProviders: number
  readonly rootKeys: number
}

export type CountEntities = (account: AccountId) => Promise<EntityCounts>

export function createEntityCounts({ reader }: { readonly reader: Reader }): CountEntities {
  return async (account) => {
    const counts = await reader
      .selectNoFrom((eb) => {
        const countOf = (table: 'iam_user' | 'iam_group' | 'iam_role' | 'managed_policy' | 'oidc_provider') =>
          // Each has the column alike.
          eb
            .selectFrom(table as 'iam_user')
            .select((inner) => inner.fn.countAll<number>().as('count'))
            .where('account', '=', account)
        return [
          countOf('iam_user').as('users'),
          countOf('iam_group').as('groups'),
          countOf('iam_role').as('roles'),
          countOf('managed_policy').as('policies'),
          countOf('oidc_provider').as('identityProviders'),
          eb
            .selectFrom('managed_policy_version as version')
            .innerJoin('managed_policy as policy', 'policy.arn', 'version.policy_arn')
            .select((inner) => inner.fn.countAll<number>().as('count'))
            .where('policy.account', '=', account)
            .as('policyVersions'),
          eb
            .selectFrom('access_key')
            .select((inner) => inner.fn.countAll<number>().as('count'))
            .where('account', '=', account)
            .where('user_id', 'is', null)
            .as('rootKeys'),
        ]
      })
      .executeTakeFirstOrThrow()
    return {
      users: Number(counts.users),
      groups: Number(counts.groups),
      roles: Number(counts.roles),
      policies: Number(counts.policies),
      policyVersions: Number(counts.policyVersions),
      identityProviders: Number(counts.identityProviders),
      rootKeys: Number(counts.rootKeys),
    }
  }
}
