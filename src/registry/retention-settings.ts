import { defineSetting } from './settings.ts'

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
