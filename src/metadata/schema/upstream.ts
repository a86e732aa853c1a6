import type { Generated } from 'kysely'

/** The tables of the room `upstream`. Times are milliseconds since the epoch, UTC. */
export interface UpstreamTables {
  pull_through_cache_rule: PullThroughCacheRuleTable
  cache_rule_status: CacheRuleStatusTable
  cached_image: CachedImageTable
  cached_tag: CachedTagTable
  pending_manifest: PendingManifestTable
  pending_reference: PendingReferenceTable
  upstream_token: UpstreamTokenTable
}

export interface PullThroughCacheRuleTable {
  account: string
  region: string
  /** Without a slash at its end, or `ROOT`. */
  prefix: string
  /** ECR's name of the kind of upstream, such as `docker-hub`; `other` for a host that is of no such kind. */
  upstream: string
  /** The host of the upstream. */
  upstream_url: string
  /** What stands upstream for `prefix`; `ROOT` for nothing, and null if it was not said, which means the same. */
  upstream_prefix: string | null
  /** The ARN of a secret, never the secret. */
  credential_arn: string | null
  custom_role_arn: string | null
  created_at: number
  updated_at: number
  /** For how long an answer of the upstream about a tag counts. Null: for ever. */
  max_age_ms: Generated<number | null>
  /** How many bytes of blobs the cached images may have. Null: any number. */
  max_bytes: Generated<number | null>
}

/** How requests to the upstream of a rule went. What is not known is null. */
export interface CacheRuleStatusTable {
  account: string
  region: string
  prefix: string
  succeeded_at: number | null
  failed_at: number | null
  /** A word for programs, such as `unreachable`. */
  failure_code: string | null
  failure_reason: string | null
  /** How many requests the upstream allows in a window of time, and how many of them are left. */
  limit_requests: number | null
  limit_remaining: number | null
  limit_window_seconds: number | null
  limit_read_at: number | null
}

/** An image that came from an upstream. Its row stays when the image is deleted. */
export interface CachedImageTable {
  repository_id: number
  digest: string
  /** The host of the upstream. */
  upstream_url: string
  /** The path of the repository there. */
  upstream_name: string
  fetched_at: number
  /** When the upstream was last asked what refers to the image. */
  referrers_checked_at: number | null
}

/** What an upstream said of a tag when it was last asked. */
export interface CachedTagTable {
  repository_id: number
  tag: string
  digest: string
  /** What the tag pointed to here when `digest` became known. A push that moved the tag since then counts more. */
  over_digest: string | null
  checked_at: number
}

/** A manifest of an upstream that refers to content which is still on its way. Clients are served its bytes meanwhile. */
export interface PendingManifestTable {
  repository_id: number
  digest: string
  media_type: string
  body: Uint8Array
  upstream_url: string
  upstream_name: string
  /** The ARN of the principal that pulled it first. */
  requested_by: string
  fetched_at: number
  /** When its import last failed, and why. */
  failed_at: number | null
  failure: string | null
  /** When the upstream was last asked what refers to it. */
  referrers_checked_at: number | null
}

/** What a pending manifest needs. */
export interface PendingReferenceTable {
  repository_id: number
  parent: string
  child: string
  /** `config`, `layer`, `foreign` or `manifest`. */
  kind: string
  /** Null where the manifest does not say it. */
  size: number | null
}

/** A token of an upstream that all processes use. */
export interface UpstreamTokenTable {
  /** A hash of the upstream, the account there and the scope. */
  key: string
  sealed: string
  expires_at: number
}
