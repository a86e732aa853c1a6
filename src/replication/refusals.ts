import { refusals } from '#lib/refusal.ts'
import type { AccountId } from '#names/account.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'

/** What replication declines. Surfaces word it. */
export interface ReplicationRefusals {
  /** No region has this name. */
  ReplicationRegionUnknown: { readonly region: string }
  ReplicationToItself: Readonly<Record<never, never>>
  /** More destinations than `limit` in all rules together, each counted once. */
  ReplicationDestinationsTooMany: { readonly limit: number }
  /** The account of a destination is neither here nor at a peer. */
  ReplicationAccountMissing: { readonly account: AccountId }
  /** The bytes of a manifest at the source do not match its digest. */
  ReplicatedManifestDamaged: { readonly digest: Digest }
  /** A blob that the image needs is in quarantine, or gone from the store. */
  ReplicatedBlobMissing: { readonly digest: Digest }
}

/** What is declined of work on copies: back-fills, comparisons, attempts that are made earlier. */
export interface ReplicationWorkRefusals {
  /** No rule names it. */
  ReplicationDestinationNotFound: { readonly source: Registry; readonly destination: Registry }
  /** The registry has none. */
  ReplicationRulesMissing: { readonly source: Registry }
  ReplicationRunNotFound: { readonly id: number }
  ReplicationRunFinished: { readonly id: number; readonly state: string }
  /** One of the same kind to the same destination. */
  ReplicationRunUnderWay: { readonly id: number; readonly kind: string; readonly destination: Registry }
}

export const refuse = refusals<ReplicationRefusals & ReplicationWorkRefusals>()
