import type { Registry } from '#names/registry.ts'
import { isRepositoryName } from '#names/repository-name.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import type { RememberedRules } from './remembered-rules.ts'
import { findUpstream } from './upstream-name.ts'

/**
 * Whether a repository of this deployment is a copy, over however many caches, of one in `registry`. Two registries may cache each
 * other. A cache in such a ring asks the next one only for what is there, or each would wait for the other.
 */
export type LeadsBackTo = (registry: Registry, key: RepositoryKey) => Promise<boolean>

/** Caches in a row. A longer row counts as a ring. */
const mostHops = 8

export function createLeadsBackTo({
  rules,
  ownRegistryAt,
}: {
  readonly rules: RememberedRules
  readonly ownRegistryAt: (host: string) => Registry | undefined
}): LeadsBackTo {
  return async (start, key) => {
    let { registry, name } = key
    for (let hops = 0; hops < mostHops; hops++) {
      const upstream = findUpstream(await rules.find(registry), name)
      const next = upstream && ownRegistryAt(upstream.rule.upstreamUrl)
      if (upstream === undefined || next === undefined || !isRepositoryName(upstream.upstreamName)) return false
      if (next.account === start.account && next.region === start.region) return true
      registry = next
      name = upstream.upstreamName
    }
    return true
  }
}
