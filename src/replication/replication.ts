import type { Registry } from '#names/registry.ts'
import type { Quotas } from '#registry/quotas.ts'
import type { RegistrySettings } from '#registry/settings.ts'
import {
  type GivenReplicationRule,
  parseReplicationRules,
  type ReplicationRule,
  replicationSetting,
} from './configuration.ts'

/** Replication as far as it goes without a copier: its rules are kept and told. */
export interface Replication {
  getRules(registry: Registry): Promise<readonly ReplicationRule[]>
  /**
   * Replaces all rules; none switches replication off.
   *
   * @throws Refusal `ReplicationRegionUnknown`, `ReplicationToItself`, `ReplicationDestinationsTooMany`
   */
  putRules(registry: Registry, rules: readonly GivenReplicationRule[]): Promise<readonly ReplicationRule[]>
}

export function createReplication({
  settings,
  quotas,
}: {
  settings: RegistrySettings
  quotas: Pick<Quotas, 'replicationDestinations'>
}): Replication {
  return {
    getRules: (registry) => settings.get(registry, replicationSetting),

    async putRules(registry, given) {
      const rules = parseReplicationRules(registry, given, quotas.replicationDestinations)
      await settings.put(registry, replicationSetting, rules)
      return rules
    },
  }
}
