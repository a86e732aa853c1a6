import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/**
 * Tags that are answered by what is here, for as long as nothing is committed and the tag is fresh. Nothing is remembered where the store has
 * no version. Flat on purpose: `bench` figure "manifest GET by tag, cached against pushed".
 */
export interface FreshHits {
  find(key: RepositoryKey, tag: Tag): FreshHit | undefined
  /** `version`: of the store, before the rows were read by which this is a hit. */
  remember(key: RepositoryKey, tag: Tag, hit: FreshHit, version: number | undefined): void
}

export interface FreshHit {
  /** Whether a rule covers the repository. */
  readonly isCovered: boolean
  /** When the tag has to be checked; milliseconds since the epoch. */
  readonly until: number
}

type Tags = Map<Tag, FreshHit>

/** Of all registries. With one more, the memory begins empty. */
const mostTags = 20_000

export function createFreshHits({
  metadata,
  clock,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
}): FreshHits {
  let at: number | undefined
  let count = 0
  // The registry of a request is an object that its credentials share.
  let registries = new WeakMap<Registry, Map<RepositoryName, Tags>>()

  function forget(version: number): void {
    at = version
    count = 0
    registries = new WeakMap()
  }

  return {
    find({ registry, name }, tag) {
      const version = metadata.version()
      if (version === undefined) return undefined
      if (version !== at) {
        forget(version)
        return undefined
      }
      const hit = registries.get(registry)?.get(name)?.get(tag)
      return hit !== undefined && clock() < hit.until ? hit : undefined
    },

    remember({ registry, name }, tag, hit, version) {
      if (version === undefined || version !== at) return
      if (++count > mostTags) forget(version)
      const names = registries.get(registry) ?? new Map<RepositoryName, Tags>()
      registries.set(registry, names)
      const tags = names.get(name) ?? new Map<Tag, FreshHit>()
      names.set(name, tags)
      tags.set(tag, hit)
    },
  }
}
