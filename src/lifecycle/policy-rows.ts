import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { CreatedRepository } from '#registry/announcements.ts'

/** The lifecycle policy of a repository as it is stored: one row, of whatever repository the caller has found or locked. */
export interface StoredPolicy {
  /** As it was put. */
  readonly text: string
  /** When it was last applied to the repository, in milliseconds since the epoch; `undefined` until then. */
  readonly lastEvaluatedAt: number | undefined
}

/**
 * Gives the repository that policy, whose text `parseLifecyclePolicy` has taken, in place of whatever it had. A new policy has
 * not been evaluated yet.
 */
export async function putLifecyclePolicyOf(trx: Transaction, repositoryId: number, text: string): Promise<void> {
  const policy = { document: text, last_evaluated_at: null }
  await trx
    .insertInto('lifecycle_policy')
    .values({ repository_id: repositoryId, ...policy })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(policy))
    .execute()
}

/** Hears of new repositories: one that is made from a template has its lifecycle policy from the beginning. */
export async function putLifecyclePolicyOfTemplate(
  trx: Transaction,
  { repository, lifecyclePolicy }: CreatedRepository,
): Promise<void> {
  if (lifecyclePolicy !== undefined) await putLifecyclePolicyOf(trx, repository.id, lifecyclePolicy)
}

export async function findLifecyclePolicyOf(reader: Reader, repositoryId: number): Promise<StoredPolicy | undefined> {
  const row = await reader
    .selectFrom('lifecycle_policy')
    .select(['document', 'last_evaluated_at'])
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
  return row && { text: row.document, lastEvaluatedAt: row.last_evaluated_at ?? undefined }
}
