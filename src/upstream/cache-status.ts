import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import { type CacheRule, readRules } from './cache-rules.ts'
import { isUnderRule } from './rule-repositories.ts'
import { type RuleKey, type RuleStatus, readRuleStatus } from './rule-status.ts'

/** What a rule has cached, and how its upstream answers. */
export interface CacheStatus extends CacheUsage, RuleStatus {
  readonly rule: CacheRule
}

export interface CacheUsage {
  /** Repositories that hold cached images. */
  readonly repositories: number
  readonly images: number
  /** Of the blobs that cached images refer to, each counted once. */
  readonly bytes: number
  /** Manifests that wait for content of the upstream. */
  readonly pending: number
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
  const { repositories, images } = await reader
    .selectFrom('repository')
    .innerJoin('cached_image', 'cached_image.repository_id', 'repository.id')
    .innerJoin('manifest', (join) =>
      join
        .onRef('manifest.repository_id', '=', 'cached_image.repository_id')
        .onRef('manifest.digest', '=', 'cached_image.digest'),
    )
    .select(({ fn }) => [
      fn.count<number>('cached_image.repository_id').distinct().as('repositories'),
      fn.countAll<number>().as('images'),
    ])
    .where((eb) => isUnderRule(eb, rule, prefixes))
    .executeTakeFirstOrThrow()
  const { pending } = await reader
    .selectFrom('repository')
    .innerJoin('pending_manifest', 'pending_manifest.repository_id', 'repository.id')
    .select(({ fn }) => fn.countAll<number>().as('pending'))
    .where((eb) => isUnderRule(eb, rule, prefixes))
    .executeTakeFirstOrThrow()
  return {
    ...{ repositories: Number(repositories), images: Number(images) },
    bytes: await readCachedBytes(reader, rule, prefixes),
    pending: Number(pending),
  }
}

/** Foreign layers count where the repository has them. */
export async function readCachedBytes(
  reader: Reader,
  rule: RuleKey,
  prefixes: readonly RepositoryPrefix[],
): Promise<number> {
  const { bytes } = await reader
    .selectFrom('blob')
    .select(({ fn }) => fn.sum<number | null>('blob.size').as('bytes'))
    .where('blob.digest', 'in', ({ selectFrom }) =>
      selectFrom('repository')
        .innerJoin('repository_blob as link', 'link.repository_id', 'repository.id')
        .select('link.digest')
        .where((eb) => isUnderRule(eb, rule, prefixes))
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('manifest_reference as reference')
              .innerJoin('cached_image', (join) =>
                join
                  .onRef('cached_image.repository_id', '=', 'reference.repository_id')
                  .onRef('cached_image.digest', '=', 'reference.parent'),
              )
              .select('reference.child')
              .whereRef('reference.repository_id', '=', 'link.repository_id')
              .whereRef('reference.child', '=', 'link.digest')
              .where('reference.kind', '!=', 'manifest'),
          ),
        ),
    )
    .executeTakeFirstOrThrow()
  return Number(bytes ?? 0)
}
