import { type ContentRefusals, refuse } from './refusals.ts'
import { inRepository, type RepositoryKey } from './repository.ts'

/** How much there may be of each, at most. */
export type Quotas = Readonly<Record<ContentRefusals['QuotaExceeded']['quota'], number>>

/** ECR's (user guide, "Amazon ECR service quotas"). */
export const ecrQuotas: Quotas = { repositories: 100_000, images: 100_000, tags: 1_000 }

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
export async function requireWithin(
  quotas: Quotas,
  quota: keyof Quotas,
  key: RepositoryKey,
  query: Counted,
): Promise<void> {
  const limit = quotas[quota]
  const beyond = await query.offset(limit).limit(1).executeTakeFirst()
  if (beyond !== undefined) throw refuse('QuotaExceeded', { ...inRepository(key), quota, limit })
}
