import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Quotas } from '#registry/quotas.ts'
import { getRepository, type RepositoryKey } from '#registry/repository.ts'
import type { RegistrySettings } from '#registry/settings.ts'
import {
  type GivenReplicationRule,
  parseReplicationRules,
  type ReplicationRule,
  replicationSetting,
} from './configuration.ts'
import { type ImageReplicationStatus, readImageStatuses } from './status.ts'

/** The rules of replication, and the status of each image. */
export interface Replication {
  getRules(registry: Registry): Promise<readonly ReplicationRule[]>
  /**
   * Replaces all rules; none switches replication off.
   *
   * @throws Refusal `ReplicationRegionUnknown`, `ReplicationToItself`, `ReplicationDestinationsTooMany`
   */
  putRules(registry: Registry, rules: readonly GivenReplicationRule[]): Promise<readonly ReplicationRule[]>
  /** One entry for each destination; none for an image that no rule asked for. @throws Refusal `RepositoryNotFound` */
  getStatuses(key: RepositoryKey, digest: Digest): Promise<readonly ImageReplicationStatus[]>
}

export function createReplication({
  metadata,
  settings,
  quotas,
}: {
  metadata: Metadata
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

    async getStatuses(key, digest) {
      const { id } = await getRepository(metadata.reader, key)
      return readImageStatuses(metadata.reader, id, digest)
    },
  }
}
