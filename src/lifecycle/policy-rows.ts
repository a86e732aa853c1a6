import { enqueue, isWaitedFor } from '#jobs/queue.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { CreatedRepository } from '#registry/announcements.ts'
import { lifecycleRun } from './run-kind.ts'

const settlingMs = 60_000

/** The lifecycle policy of a repository as it is stored: one row, of whatever repository the caller has found or locked. */
export interface StoredPolicy {
  /** As it was put. */
  readonly text: string
  /** When it was last applied to the repository, in milliseconds since the epoch; `undefined` until then. */
  readonly lastEvaluatedAt: number | undefined
}

/**
 * Gives the repository that policy, whose text `parseLifecyclePolicy` has taken, in place of whatever it had. A new policy has
 * not been evaluated yet; it is soon, but not before whoever put it last can have seen a mistake.
 */
export async function putLifecyclePolicyOf(
  trx: Transaction,
  repositoryId: number,
  text: string,
  now: number,
): Promise<void> {
  const policy = { document: text, last_evaluated_at: null }
  await trx
    .insertInto('lifecycle_policy')
    .values({ repository_id: repositoryId, ...policy })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(policy))
    .execute()
  await enqueue(trx, lifecycleRun, { repositoryId }, { at: now + settlingMs, keep: 'later' })
}

/** Hears of new repositories: one that is made from a template has its lifecycle policy from the beginning. */
export async function putLifecyclePolicyOfTemplate(
  trx: Transaction,
  { repository, lifecyclePolicy }: CreatedRepository,
): Promise<void> {
  if (lifecyclePolicy !== undefined)
    await putLifecyclePolicyOf(trx, repository.id, lifecyclePolicy, repository.createdAt)
}

export async function findLifecyclePolicyOf(reader: Reader, repositoryId: number): Promise<StoredPolicy | undefined> {
  const row = await reader
    .selectFrom('lifecycle_policy')
    .select(['document', 'last_evaluated_at'])
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
  return row && { text: row.document, lastEvaluatedAt: row.last_evaluated_at ?? undefined }
}

/**
 * For whoever runs a policy that was found: whether it has yet to wait, since it was put in the midst of the run. Then its own run
 * waits behind this one.
 */
export function isSettling(reader: Reader, repositoryId: number): Promise<boolean> {
  return isWaitedFor(reader, { kind: lifecycleRun.kind, key: lifecycleRun.key({ repositoryId }) })
}

/** Of this policy, if it is in force still. */
export async function markEvaluated(trx: Transaction, repositoryId: number, text: string, at: number): Promise<void> {
  await trx
    .updateTable('lifecycle_policy')
    .set({ last_evaluated_at: at })
    .where('repository_id', '=', repositoryId)
    .where('document', '=', text)
    .execute()
}

/** The repositories, by number and `after` one of them, whose policy was not evaluated since. */
export async function findUnevaluated(reader: Reader, since: number, after: number, limit: number): Promise<number[]> {
  const rows = await reader
    .selectFrom('lifecycle_policy')
    .select('repository_id')
    .where('repository_id', '>', after)
    .where(({ or, eb }) => or([eb('last_evaluated_at', 'is', null), eb('last_evaluated_at', '<=', since)]))
    .orderBy('repository_id')
    .limit(limit)
    .execute()
  return rows.map(({ repository_id }) => repository_id)
}
