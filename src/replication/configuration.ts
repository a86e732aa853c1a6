import type { AccountId } from '#names/account.ts'
import { isRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { defineSetting } from '#registry/settings.ts'
import { refuse } from './refusals.ts'

/** Which repositories of a registry are copied where (ECR user guide, "Private image replication"). */
export interface ReplicationRule {
  readonly destinations: readonly Registry[]
  /** What a repository's name begins with, one of them; none for every repository. */
  readonly filters: readonly string[]
}

/** As a client gives it: a region there may be any text. */
export interface GivenReplicationRule {
  readonly destinations: readonly { readonly account: AccountId; readonly region: string }[]
  readonly filters: readonly string[]
}

export const replicationSetting = defineSetting<readonly ReplicationRule[]>({
  name: 'replication',
  // Only rules that were parsed are put.
  parse: (document) => document as readonly ReplicationRule[],
  fallback: [],
})

/**
 * `mostDestinations` are those of all rules together, each counted once.
 *
 * @throws Refusal `ReplicationRegionUnknown`, `ReplicationToItself`, `ReplicationDestinationsTooMany`
 */
export function parseReplicationRules(
  source: Registry,
  rules: readonly GivenReplicationRule[],
  mostDestinations: number,
): readonly ReplicationRule[] {
  const unique = new Set<string>()
  const parsed = rules.map(({ destinations, filters }) => ({
    destinations: destinations.map(({ account, region }) => {
      if (!isRegion(region)) throw refuse('ReplicationRegionUnknown', { region })
      if (account === source.account && region === source.region) throw refuse('ReplicationToItself', {})
      unique.add(`${account}/${region}`)
      return { account, region }
    }),
    filters,
  }))
  if (unique.size > mostDestinations) throw refuse('ReplicationDestinationsTooMany', { limit: mostDestinations })
  return parsed
}
