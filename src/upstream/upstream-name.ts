import type { RepositoryName } from '#names/repository-name.ts'
import { findMostSpecific, rootPrefix } from '#names/repository-prefix.ts'
import type { CacheRule } from './cache-rules.ts'

/** What a repository is a copy of: the rule that it falls under, and what its upstream calls it. */
export interface UpstreamRepository {
  readonly rule: CacheRule
  /** A path upstream. It need not have the form of a name here, which has two characters. */
  readonly upstreamName: string
}

/**
 * The upstream of a repository, by the rule with the longest prefix that covers it. The rule's upstream prefix takes the place of
 * its prefix (ECR user guide, "Customizing repository prefixes for ECR to ECR pull through cache").
 *
 *     docker-hub/library/nginx  under docker-hub → ROOT          library/nginx
 *     my-app/image1             under my-app → upstream-app      upstream-app/image1
 */
export function findUpstream(rules: readonly CacheRule[], name: RepositoryName): UpstreamRepository | undefined {
  const rule = findMostSpecific(rules, name)
  if (rule === undefined) return undefined
  const below = rule.prefix === rootPrefix ? name : name.slice(rule.prefix.length + 1)
  const { upstreamPrefix = rootPrefix } = rule
  return { rule, upstreamName: upstreamPrefix === rootPrefix ? below : `${upstreamPrefix}/${below}` }
}
