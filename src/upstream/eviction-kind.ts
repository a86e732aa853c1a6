import { jobKind } from '#jobs/kind.ts'
import { enqueueIfNone } from '#jobs/queue.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryPrefix } from '#names/repository-prefix.ts'
import type { CacheRule } from './cache-rules.ts'
import type { RuleKey } from './rule-status.ts'

/** Makes room in what a rule has cached. */
export const evictCachedImages = jobKind<RuleKey>({
  kind: 'evict-cached-images',
  attempts: 5,
  leaseMs: 60_000,
  parse(document) {
    const { registry, prefix } = document as RuleKey
    return {
      registry: { account: parseAccountId(registry.account), region: parseRegion(registry.region) },
      prefix: parseRepositoryPrefix(prefix),
    }
  },
  key: ({ registry: { account, region }, prefix }) => `${account}/${region}/${prefix}`,
})

/** To be called where a rule may have become too large: content came, or the limit is a new one. */
export async function requestEviction(
  trx: Transaction,
  { registry, prefix, settings }: Pick<CacheRule, 'registry' | 'prefix' | 'settings'>,
  now: number,
): Promise<void> {
  if (settings.maxBytes === 'unlimited') return
  await enqueueIfNone(trx, evictCachedImages, { registry, prefix }, { at: now })
}
