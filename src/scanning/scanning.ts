import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { ImageQuery } from '#registry/image.ts'
import type { ImageLists } from '#registry/image-lists.ts'
import { refuse as refuseContent } from '#registry/refusals.ts'
import type { Repositories } from '#registry/repositories.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { lockSetting, type RegistrySettings } from '#registry/settings.ts'
import {
  type AppliedScanning,
  parseScanningConfiguration,
  type ScanningConfiguration,
  scanningOf,
  scanningSetting,
} from './configuration.ts'
import { type FrequencyChange, findFrequencyChanges } from './frequency-changes.ts'
import { refuse } from './refusals.ts'

export interface RepositoryScanning extends AppliedScanning {
  /** The repository's own flag. Rules of the registry leave it as it is. */
  readonly scanOnPush: boolean
}

/** Scanning as far as it goes without a scanner: what is to be scanned is kept and told, and no image has ever been scanned. */
export interface Scanning {
  getConfiguration(registry: Registry): Promise<ScanningConfiguration>
  /** @throws Refusal `ScanFrequencyUnavailable`, `ScanFrequencyRepeated` */
  putConfiguration(registry: Registry, configuration: ScanningConfiguration): Promise<ScanningConfiguration>
  /** How each of these repositories is scanned, beside its own flag. Those that do not exist are left out. */
  describeRepositories(
    registry: Registry,
    names: readonly RepositoryName[],
  ): Promise<ReadonlyMap<RepositoryName, RepositoryScanning>>
  /** @throws Refusal always: `RepositoryNotFound`, `ImageNotFound`, `ImageArchived`, `ScanNotStartable` or else `ScannerMissing` */
  start(key: RepositoryKey, query: ImageQuery): Promise<never>
  /** @throws Refusal always: `RepositoryNotFound`, `ImageNotFound` or else `ScanNotFound` */
  getFindings(key: RepositoryKey, query: ImageQuery): Promise<never>
}

export function createScanning({
  metadata,
  frequencyChanged,
  settings,
  repositories,
  imageLists,
}: {
  metadata: Metadata
  /** Writes rows about repositories that are scanned otherwise, in the transaction that changes it, where scanning is or was enhanced. */
  frequencyChanged: (trx: Transaction, registry: Registry, changes: readonly FrequencyChange[]) => Promise<void>
  settings: RegistrySettings
  repositories: Repositories
  imageLists: ImageLists
}): Scanning {
  const getConfiguration = (registry: Registry) => settings.get(registry, scanningSetting)
  return {
    getConfiguration,

    async putConfiguration(registry, given) {
      const configuration = parseScanningConfiguration(given)
      await metadata.transaction(async (trx) => {
        const before = await lockSetting(trx, registry, scanningSetting)
        await settings.put(registry, scanningSetting, configuration, trx)
        if (before.type !== 'ENHANCED' && configuration.type !== 'ENHANCED') return
        const changes = await findFrequencyChanges(trx, registry, { before, after: configuration })
        if (changes.length > 0) await frequencyChanged(trx, registry, changes)
      })
      return configuration
    },

    async describeRepositories(registry, names) {
      const configuration = await getConfiguration(registry)
      const found = await repositories.findAll(registry, names)
      return new Map(
        [...found].map(([name, repository]) => {
          const { scanOnPush } = repository
          return [name, { ...scanningOf(configuration, repository), scanOnPush }]
        }),
      )
    },

    async start(key, query) {
      const { digest, status } = await imageLists.get(key, query)
      if (status !== 'ACTIVE') throw refuseContent('ImageArchived', { ...inRepository(key), query, digest })
      const { type } = await getConfiguration(key.registry)
      if (type === 'ENHANCED') throw refuse('ScanNotStartable', {})
      throw refuse('ScannerMissing', { ...inRepository(key), query: { ...query, digest } })
    },

    async getFindings(key, query) {
      await imageLists.get(key, query)
      throw refuse('ScanNotFound', { ...inRepository(key), query })
    },
  }
}
