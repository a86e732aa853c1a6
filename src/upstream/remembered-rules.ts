import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { type CacheRule, readRules } from './cache-rules.ts'

/**
 * The rules of a registry, for requests that need them often. On SQLite they are as fresh as the database. On PostgreSQL another
 * process may have changed them up to two seconds ago.
 */
export interface RememberedRules {
  /** By prefix. At once where they are remembered. */
  find(registry: Registry): readonly CacheRule[] | Promise<readonly CacheRule[]>
}

interface Entry {
  /** Of the store before its rows were read. */
  readonly version: number | undefined
  readonly readAt: number
  /** A promise while the query runs, which further callers wait for too. */
  rules: readonly CacheRule[] | Promise<readonly CacheRule[]>
}

/** Further registries push out the oldest. */
const mostRegistries = 1_000
/** Where the store has no version. */
const rememberedForMs = 2_000

export function createRememberedRules({ metadata, clock }: { metadata: Metadata; clock: Clock }): RememberedRules {
  const entries = new BoundedMap<string, Entry>(mostRegistries)

  function isFresh(entry: Entry, version: number | undefined, now: number): boolean {
    if (version !== undefined) return entry.version === version
    return Math.abs(now - entry.readAt) < rememberedForMs
  }

  return {
    find(registry) {
      const key = `${registry.account} ${registry.region}`
      const version = metadata.version()
      const now = clock()
      const known = entries.get(key)
      if (known !== undefined && isFresh(known, version, now)) return known.rules

      const rules = readRules(metadata.reader, registry)
      const entry: Entry = { version, readAt: now, rules }
      entries.set(key, entry)
      return rules.then(
        (read) => {
          entry.rules = read
          return read
        },
        (error) => {
          if (entries.get(key) === entry) entries.delete(key)
          throw error
        },
      )
    },
  }
}
