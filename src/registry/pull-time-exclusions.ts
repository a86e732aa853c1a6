import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { type Quotas, requireRegistryWithin } from './quotas.ts'
import { refuse } from './refusals.ts'

/**
 * Principals whose pulls leave the recorded time of an image's last pull alone, such as a scanner (ECR user guide, "Pull time
 * update exclusions"). An ARN is kept as it was given: it need not be that of anybody yet. `pulls.ts` heeds them.
 */
export interface PullTimeExclusions {
  /** `principalArn` is an IAM user's or role's. @throws Refusal `ExclusionAlreadyExists`, `QuotaExceeded` */
  register(registry: Registry, principalArn: string): Promise<{ readonly createdAt: number }>
  /** @throws Refusal `ExclusionNotFound` */
  deregister(registry: Registry, principalArn: string): Promise<void>
  /** ARNs, in their order. */
  list(registry: Registry, page: { limit: number; after?: string | undefined }): Promise<Page<string, string>>
}

export function createPullTimeExclusions({
  metadata,
  clock,
  quotas,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
}): PullTimeExclusions {
  return {
    register: ({ account, region }, principalArn) =>
      metadata.transaction(async (trx) => {
        const registry = { account, region }
        const createdAt = clock()
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('pull_time_update_exclusion')
          .values({ account, region, principal_arn: principalArn, created_at: createdAt })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        if (numInsertedOrUpdatedRows !== 1n) throw refuse('ExclusionAlreadyExists', { registry, principalArn })
        await requireRegistryWithin(trx, quotas, 'pullTimeUpdateExclusions', registry, selectExclusions(trx, registry))
        return { createdAt }
      }),

    deregister: ({ account, region }, principalArn) =>
      metadata.transaction(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('pull_time_update_exclusion')
          .where('account', '=', account)
          .where('region', '=', region)
          .where('principal_arn', '=', principalArn)
          .executeTakeFirst()
        if (numDeletedRows === 0n) throw refuse('ExclusionNotFound', { registry: { account, region }, principalArn })
      }),

    async list(registry, { limit, after }) {
      const rows = await selectExclusions(metadata.reader, registry)
        .$if(after !== undefined, (query) => query.where('principal_arn', '>', after ?? ''))
        .orderBy('principal_arn')
        .limit(limit + 1)
        .execute()
      return pageOf(
        rows.map((row) => row.principal_arn),
        limit,
        (principalArn) => principalArn,
      )
    },
  }
}

function selectExclusions(reader: Reader, { account, region }: Registry) {
  return reader
    .selectFrom('pull_time_update_exclusion')
    .select('principal_arn')
    .where('account', '=', account)
    .where('region', '=', region)
}
