import { refusals } from '#lib/refusal.ts'

/** What backing up and restoring decline, with the facts that explain it. */
export interface BackupRefusals {
  /** Where a backup was to be written: somebody else's files, or an archive that is there already. */
  BackupPlaceTaken: { readonly path: string; readonly found: string }
  /** Another process backs up into that folder. */
  BackupUnderWay: { readonly path: string }
  /** More blobs are missing or damaged than a backup lists. */
  BlobsMissing: { readonly count: number; readonly first: string }
  /** No backup, or one that was not written to its end. */
  BackupIncomplete: { readonly path: string; readonly problem: string }
  /** Written in a format, or from a schema, that this version does not know. */
  BackupNewer: { readonly what: string }
  /** Something of it is not what was written. */
  BackupDamaged: { readonly what: string }
  /** `newer` for a schema that is, though nothing is in it. */
  TargetUnfit: { readonly reason: 'used' | 'newer' }
  /** The key at hand and that of the backup are two. */
  SecretKeyDiffers: Record<string, never>
}

export const refuse = refusals<BackupRefusals>()
