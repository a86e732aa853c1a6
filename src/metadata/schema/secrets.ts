import type { Generated } from 'kysely'

/**
 * The tables of the room `secrets`.
 *
 *   secret ──< secret_version ──< secret_stage
 *
 * Times are milliseconds since the epoch, UTC. Values are sealed (`iam/secret-box.ts`).
 */
export interface SecretTables {
  secret: SecretTable
  secret_version: SecretVersionTable
  secret_stage: SecretStageTable
}

export interface SecretTable {
  id: Generated<number>
  account: string
  region: string
  name: string
  /** The six random characters at the end of its ARN. */
  suffix: string
  description: string | null
  /** As the caller gave it; null for the default key. */
  kms_key: string | null
  /** JSON: an object of values by key. */
  tags: string
  created_at: number
  changed_at: number
  /** Midnight of the last day on which a value was read. */
  accessed_at: number | null
  /** When its deletion was asked for, and when it is due; null for a secret that stays. */
  deleted_at: number | null
  purge_at: number | null
}

export interface SecretVersionTable {
  secret_id: number
  /** The request's token, which the caller chose. */
  version_id: string
  /** `string` or `binary`. */
  kind: string
  /** Sealed: the text, or base64 of the bytes. */
  sealed: string
  created_at: number
  accessed_at: number | null
}

/** A staging label is on one version at a time. */
export interface SecretStageTable {
  secret_id: number
  stage: string
  version_id: string
}
