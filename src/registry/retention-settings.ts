import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { defineSetting, lockSetting, type RegistrySettings } from './settings.ts'

/** How a registry keeps what is deleted, and what is in use. */
export interface RetentionSettings {
  /** For how many days a deleted image can be restored; 0 deletes for good, as ECR does. */
  readonly recycleBinDays: number
  /** Whether images in use are kept, in repositories that do not say otherwise. */
  readonly keepInUse: boolean
}

export const retentionSetting = defineSetting<RetentionSettings>({
  name: 'retention',
  // Only settings that were parsed are put.
  parse: (document) => document as RetentionSettings,
  fallback: { recycleBinDays: 7, keepInUse: false },
})

export interface Retentions {
  get(registry: Registry): Promise<RetentionSettings>
  /** What is left out stays as it is. What is in the recycle bin already stays for as long as was said when it went. */
  change(registry: Registry, change: RetentionChange): Promise<RetentionSettings>
}

export interface RetentionChange {
  readonly recycleBinDays?: number | undefined
  readonly keepInUse?: boolean | undefined
}

export function createRetentions({
  metadata,
  settings,
}: {
  metadata: Metadata
  settings: RegistrySettings
}): Retentions {
  return {
    get: (registry) => settings.get(registry, retentionSetting),

    change: (registry, { recycleBinDays, keepInUse }) =>
      metadata.transaction(async (trx) => {
        const held = await lockSetting(trx, registry, retentionSetting)
        const changed = {
          recycleBinDays: recycleBinDays ?? held.recycleBinDays,
          keepInUse: keepInUse ?? held.keepInUse,
        }
        await settings.put(registry, retentionSetting, changed, trx)
        return changed
      }),
  }
}

const dayMs = 86_400_000

/** Until when what is deleted then can be restored. Milliseconds since the epoch. */
export function restorableUntil({ recycleBinDays }: RetentionSettings, deletedAt: number): number {
  return deletedAt + recycleBinDays * dayMs
}
