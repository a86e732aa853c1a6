import { addToCounters } from '#jobs/counters.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata } from '#metadata/metadata.ts'

/**
 * Counts pulls through the cache and requests to upstreams. In memory, and written in batches to the counters that all processes share; a
 * crash loses the last batch.
 */
export interface CacheCounts extends WriteBehind {
  /**
   * `hit`: served without a question to the upstream. `miss`: the upstream was asked first. `stale`: the upstream could not be asked, and an
   * older answer was served. `failed`: nothing could be served.
   */
  recordPull(result: CachePullResult): void
  /** `host` is the upstream's; `result` is `ok`, `absent`, or a word for the failure, such as `unreachable`. */
  recordRequest(host: string, result: string): void
}

export type CachePullResult = 'hit' | 'miss' | 'stale' | 'failed'

const pulls = 'lading_cache_pulls_total'
const requests = 'lading_upstream_requests_total'

/** Ready, since each pull of a cached image counts. */
const pullSeries = {
  hit: `${pulls}{result="hit"}`,
  miss: `${pulls}{result="miss"}`,
  stale: `${pulls}{result="stale"}`,
  failed: `${pulls}{result="failed"}`,
} as const satisfies Record<CachePullResult, string>

const batchMs = 10_000

export function createCacheCounts({
  metadata,
  onError,
}: {
  metadata: Metadata
  onError: (error: unknown) => void
}): CacheCounts {
  let counts = new Map<string, number>()

  function add(series: string, count = 1): void {
    counts.set(series, (counts.get(series) ?? 0) + count)
  }

  async function write(): Promise<void> {
    if (counts.size === 0) return
    const batch = counts
    counts = new Map()
    try {
      await metadata.transaction((trx) => addToCounters(trx, batch))
    } catch (error) {
      for (const [series, count] of batch) add(series, count)
      throw error
    }
  }

  return {
    ...createWriteBehind({ everyMs: batchMs, write, onError }),
    recordPull: (result) => add(pullSeries[result]),
    // A host has no character that Prometheus escapes.
    recordRequest: (host, result) => add(`${requests}{upstream="${host}",result="${result}"}`),
  }
}

/** In Prometheus's text format, from the counters by their names. */
export function renderCache(counters: ReadonlyMap<string, number>): string {
  const samples = (name: string) =>
    [...counters]
      .filter(([series]) => series.startsWith(`${name}{`))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([series, count]) => `${series} ${count}`)
  return [
    `# HELP ${pulls} Pulls of manifests from repositories of the pull through cache.`,
    `# TYPE ${pulls} counter`,
    ...samples(pulls),
    `# HELP ${requests} Requests to upstream registries of the pull through cache.`,
    `# TYPE ${requests} counter`,
    ...samples(requests),
    '',
  ].join('\n')
}
