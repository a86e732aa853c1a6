import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import { type CacheRule, readRules } from './cache-rules.ts'
import { countCachedImages, type ImageCounts, readCachedBytes, readCachedRepositories } from './cache-usage.ts'
import { countImports, type ImportCounts } from './import-counts.ts'
import { type RuleKey, type RuleStatus, readRuleStatus } from './rule-status.ts'

/** What a rule has cached, and how its upstream answers. */
export interface CacheStatus extends CacheUsage, RuleStatus {
  readonly rule: CacheRule
}

export interface CacheUsage extends ImageCounts {
  /** Of the blobs that cached images refer to, each counted once. */
  readonly bytes: number
  readonly imports: ImportCounts
}

export interface CacheStatuses {
  /** Of each of these rules of one registry. */
  describe(rules: readonly CacheRule[]): Promise<CacheStatus[]>
}

export function createCacheStatuses({ metadata }: { metadata: Metadata }): CacheStatuses {
  return {
    async describe(rules) {
      const [first] = rules
      if (first === undefined) return []
      const prefixes = (await readRules(metadata.reader, first.registry)).map(({ prefix }) => prefix)
      const found: CacheStatus[] = []
      for (const rule of rules) {
        const status = await readRuleStatus(metadata.reader, rule)
        found.push({ rule, ...status, ...(await readUsage(metadata.reader, rule, prefixes)) })
      }
      return found
    },
  }
}

async function readUsage(reader: Reader, rule: RuleKey, prefixes: readonly RepositoryPrefix[]): Promise<CacheUsage> {
  const ids = await readCachedRepositories(reader, rule, prefixes)
  return {
    ...(await countCachedImages(reader, ids)),
    bytes: await readCachedBytes(reader, ids),
    imports: await countImports(reader, rule, prefixes),
  }
}
