import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure, type RemoteFailureReason } from '#remote/registry.ts'
import type { CacheRule } from './cache-rules.ts'

/** What the cache did of an image of an upstream, or could not do (ECR user guide, "Amazon ECR events and EventBridge"). */
export interface CacheAction {
  readonly key: RepositoryKey
  readonly rule: CacheRule
  readonly tag: Tag | undefined
  readonly digest: Digest | undefined
  readonly failure: CacheActionFailure | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Writes rows about an action in the transaction that does it. */
export type RecordAction = (trx: Transaction, action: CacheAction) => Promise<void>

export interface CacheActionFailure {
  /** One of ECR's codes for failures of images (API reference, ImageFailure). */
  readonly code: 'UpstreamUnavailable' | 'UpstreamTooManyRequests' | 'UpstreamAccessDenied'
  readonly reason: string
}

const codes = {
  unreachable: 'UpstreamUnavailable',
  invalid: 'UpstreamUnavailable',
  blocked: 'UpstreamUnavailable',
  limited: 'UpstreamTooManyRequests',
  unauthorized: 'UpstreamAccessDenied',
  forbidden: 'UpstreamAccessDenied',
  // Of pushes, which the cache does not make.
  missing: 'UpstreamUnavailable',
  immutable: 'UpstreamUnavailable',
  upload: 'UpstreamUnavailable',
} as const satisfies Record<RemoteFailureReason, CacheActionFailure['code']>

export function failureOf(error: unknown): CacheActionFailure {
  if (error instanceof RemoteFailure) return { code: codes[error.reason], reason: error.message }
  // A quota, a full disk: the log has the rest.
  return { code: 'UpstreamUnavailable', reason: 'The image could not be stored' }
}
