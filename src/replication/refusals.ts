import { refusals } from '#lib/refusal.ts'

/** What replication declines. Surfaces word it. */
export interface ReplicationRefusals {
  /** No region has this name. */
  ReplicationRegionUnknown: { readonly region: string }
  ReplicationToItself: Readonly<Record<never, never>>
  /** More destinations than `limit` in all rules together, each counted once. */
  ReplicationDestinationsTooMany: { readonly limit: number }
}

export const refuse = refusals<ReplicationRefusals>()
