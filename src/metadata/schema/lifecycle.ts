import type { Generated } from 'kysely'

/**
 * The tables of the room `lifecycle`. All of it goes with its repository.
 *
 *   repository ─┬─ lifecycle_policy
 *               ├─ lifecycle_preview ──< lifecycle_preview_page      the latest preview alone is kept
 *               └─< lifecycle_what_if ──< lifecycle_what_if_page     kept for a day
 *
 * Times are milliseconds since the epoch, UTC.
 */
export interface LifecycleTables {
  lifecycle_policy: LifecyclePolicyTable
  lifecycle_preview: LifecyclePreviewTable
  lifecycle_preview_page: LifecyclePreviewPageTable
  lifecycle_what_if: LifecycleWhatIfTable
  lifecycle_what_if_page: LifecycleWhatIfPageTable
}

export interface LifecyclePolicyTable {
  repository_id: number
  /** The policy as it was put. */
  document: string
  /** When this policy was last applied to the repository; `null` until then. */
  last_evaluated_at: number | null
}

export interface LifecyclePreviewTable {
  /** A new one for each start: whoever still writes to an older preview finds that it is gone. */
  id: Generated<number>
  repository_id: number
  /** The policy that is evaluated, as it was given. */
  document: string
  /** `IN_PROGRESS`, `COMPLETE` or `FAILED`. */
  status: string
  started_at: number
  /** When its evaluation last wrote; once it is over, when that was. */
  touched_at: number
  expiring_count: number
  transitioning_count: number
}

/** Some hundred results a row, so that those of a whole repository are written in no time. */
export interface LifecyclePreviewPageTable {
  preview_id: number
  /** From 0. */
  number: number
  /** JSON: array of results, in the order in which the images would be acted on. */
  document: string
}

export interface LifecycleWhatIfTable {
  id: string
  repository_id: number
  created_at: number
  /** JSON. */
  summary: string
}

/** Some hundred decisions a row, so that those on a whole repository are written in no time. */
export interface LifecycleWhatIfPageTable {
  what_if_id: string
  /** From 0. */
  number: number
  /** JSON: array of decisions. */
  document: string
}
