import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { RememberedRules } from './remembered-rules.ts'
import { findMirrored, findUpstream } from './upstream-name.ts'
import { upstreamHostOf } from './upstreams.ts'

/** What rules say of clients that name the upstream's host beside the upstream's name of a repository. */
export function createMirrorRules({ rules }: { rules: RememberedRules }) {
  return {
    /** The repository that the client means; `undefined` where no rule caches it. */
    async find(registry: Registry, host: string, name: RepositoryName): Promise<RepositoryName | undefined> {
      return findMirrored(await rules.find(registry), host, name)
    },

    /** Whether the repository falls under a rule, and the rule's upstream is another host. */
    async isOfOtherHost(registry: Registry, host: string, name: RepositoryName): Promise<boolean> {
      const upstream = findUpstream(await rules.find(registry), name)
      return upstream !== undefined && upstream.rule.upstreamUrl !== upstreamHostOf(host)
    },
  }
}
