/** The tables of the room `upstream`. Times are milliseconds since the epoch, UTC. */
export interface UpstreamTables {
  pull_through_cache_rule: PullThroughCacheRuleTable
}

export interface PullThroughCacheRuleTable {
  account: string
  region: string
  /** Without a slash at its end, or `ROOT`. */
  prefix: string
  /** ECR's name of the kind of upstream, such as `docker-hub`. */
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
}
