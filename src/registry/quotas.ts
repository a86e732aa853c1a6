import type { Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { type Place, type Quota, refuse } from './refusals.ts'
import { lockRegistry } from './settings.ts'

/** How much there may be of each, at most: of what is counted here, and of what a feature counts for itself. */
export type Quotas = Readonly<Record<Quota | 'replicationDestinations' | 'lifecycleRules', number>>

/** A query of one column of an index. */
interface Counted {
  offset(rows: number): Counted
  limit(rows: number): Counted
  executeTakeFirst(): Promise<object | undefined>
}

/**
 * After something was added, in the same transaction: what there is of it now, `query`, is within its quota. Reads no more of the
 * index than the quota has entries. Whoever adds of the same at the same time must wait by then, for a lock on what has the quota.
 *
 * @throws Refusal `QuotaExceeded`
 */
export async function requireWithin(quotas: Quotas, quota: Quota, place: Place, query: Counted): Promise<void> {
  if (!(await hasRoom(quotas, quota, query, 0)))
    throw refuse('QuotaExceeded', { ...place, quota, limit: quotas[quota] })
}

/** Whether so many more than there are, of `query`, are within the quota. */
export async function hasRoom(quotas: Quotas, quota: Quota, query: Counted, more: number): Promise<boolean> {
  const most = quotas[quota] - more
  return most >= 0 && (await query.offset(most).limit(1).executeTakeFirst()) === undefined
}

/** The same of what a registry has, whose lock is taken here: it is the last of the transaction's. @throws Refusal `QuotaExceeded` */
export async function requireRegistryWithin(
  trx: Transaction,
  quotas: Quotas,
  quota: Quota,
  registry: Registry,
  query: Counted,
): Promise<void> {
  await lockRegistry(trx, registry)
  await requireWithin(quotas, quota, { registry }, query)
}
