import { jobKind } from '#jobs/kind.ts'
import { enqueue, isWaitedFor } from '#jobs/queue.ts'
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

/** Images come in crowds, and each look measures all that a rule has. */
const delayMs = 60_000

/** To be called by transactions that store a cached image: its rule may be over its limit now. */
export async function requestEviction(
  trx: Transaction,
  { registry, prefix, settings }: Pick<CacheRule, 'registry' | 'prefix' | 'settings'>,
  now: number,
): Promise<void> {
  if (settings.maxBytes === 'unlimited') return
  const rule = { registry, prefix }
  // Nothing is written where a job waits, so that transactions do not wait for each other's commits.
  const waits = await isWaitedFor(trx, { kind: evictCachedImages.kind, key: evictCachedImages.key(rule) })
  if (!waits) await enqueue(trx, evictCachedImages, rule, { at: now + delayMs })
}

/** To be called where a limit changes, or time has passed. */
export async function requestEvictionNow(
  trx: Transaction,
  { registry, prefix, settings }: Pick<CacheRule, 'registry' | 'prefix' | 'settings'>,
  now: number,
): Promise<void> {
  if (settings.maxBytes !== 'unlimited') await enqueue(trx, evictCachedImages, { registry, prefix }, { at: now })
}
