import { isRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { findMostSpecific, rootPrefix } from '#names/repository-prefix.ts'
import type { CacheRule } from './cache-rules.ts'
import { mayBeNamed, upstreamHostOf } from './upstreams.ts'

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

/**
 * The reverse of `findUpstream`: the repository that is a copy of the upstream's repository of that name. Of several rules for the
 * host, the one with the longest upstream prefix that covers the name. Of those that are alike, `ROOT` or the one with the shortest
 * prefix, since a longer prefix is for fewer people. A rule counts only where no other rule covers its repository more closely.
 */
export function findLocalName(
  rules: readonly CacheRule[],
  host: string,
  upstreamName: string,
): RepositoryName | undefined {
  const ofHost = rules.filter(({ upstreamUrl }) => upstreamUrl === host).sort(inOrder)
  for (const rule of ofHost) {
    const name = localNameBy(rule, upstreamName)
    if (name !== undefined && findUpstream(rules, name)?.rule === rule) return name
  }
  return undefined
}

/**
 * The repository that a client means by a path, where it names the host that the image comes from beside it, as containerd does with
 * `?ns=`. Such a path is the upstream's name. Where containerd has `override_path`, the path has the rule's prefix already; it counts so
 * if the upstream may have a repository of the name that is left. `undefined` where no rule caches it.
 */
export function findMirrored(
  rules: readonly CacheRule[],
  namedHost: string,
  path: RepositoryName,
): RepositoryName | undefined {
  const host = upstreamHostOf(namedHost)
  const asIs = findUpstream(rules, path)
  if (asIs?.rule.upstreamUrl === host && mayBeNamed(asIs.rule.upstream, asIs.upstreamName)) return path
  return findLocalName(rules, host, path)
}

function localNameBy({ prefix, upstreamPrefix = rootPrefix }: CacheRule, upstreamName: string) {
  if (upstreamPrefix !== rootPrefix && !upstreamName.startsWith(`${upstreamPrefix}/`)) return undefined
  const below = upstreamPrefix === rootPrefix ? upstreamName : upstreamName.slice(upstreamPrefix.length + 1)
  const name = prefix === rootPrefix ? below : `${prefix}/${below}`
  return isRepositoryName(name) ? name : undefined
}

function inOrder(one: CacheRule, other: CacheRule): number {
  return (
    lengthOf(other.upstreamPrefix) - lengthOf(one.upstreamPrefix) ||
    lengthOf(one.prefix) - lengthOf(other.prefix) ||
    (one.prefix < other.prefix ? -1 : 1)
  )
}

function lengthOf(prefix: string | undefined): number {
  return prefix === undefined || prefix === rootPrefix ? 0 : prefix.length
}
