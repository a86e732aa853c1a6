import { type Place, type Quota, refuse } from './refusals.ts'

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
 * index than the quota has entries.
 *
 * @throws Refusal `QuotaExceeded`
 */
export async function requireWithin(quotas: Quotas, quota: Quota, place: Place, query: Counted): Promise<void> {
  const limit = quotas[quota]
  const beyond = await query.offset(limit).limit(1).executeTakeFirst()
  if (beyond !== undefined) throw refuse('QuotaExceeded', { ...place, quota, limit })
}
