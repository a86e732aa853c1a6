import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Quotas } from '#registry/quotas.ts'
import { getRepository, inRepository, lockRepository, type RepositoryKey } from '#registry/repository.ts'
import { parseLifecyclePolicy } from './policy.ts'
import { findLifecyclePolicyOf, putLifecyclePolicyOf, type StoredPolicy } from './policy-rows.ts'
import { refuse } from './refusals.ts'

/** The lifecycle policies of repositories. Each has one at most, and it goes with its repository. */
export interface LifecyclePolicies {
  /** @throws Refusal `RepositoryNotFound`, `LifecyclePolicyInvalid` */
  put(key: RepositoryKey, text: string): Promise<void>
  /** @throws Refusal `RepositoryNotFound`, `LifecyclePolicyNotFound` */
  get(key: RepositoryKey): Promise<StoredPolicy>
  /** @throws Refusal `RepositoryNotFound` */
  has(key: RepositoryKey): Promise<boolean>
  /** Answers what it was. @throws Refusal `RepositoryNotFound`, `LifecyclePolicyNotFound` */
  delete(key: RepositoryKey): Promise<StoredPolicy>
}

export function createLifecyclePolicies({
  metadata,
  clock,
  quotas,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Pick<Quotas, 'lifecycleRules'>
}): LifecyclePolicies {
  return {
    async put(key, text) {
      parseLifecyclePolicy(text, quotas.lifecycleRules)
      await metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        await putLifecyclePolicyOf(trx, id, text, clock())
      })
    },

    async get(key) {
      const { id } = await getRepository(metadata.reader, key)
      return found(key, await findLifecyclePolicyOf(metadata.reader, id))
    },

    async has(key) {
      const { id } = await getRepository(metadata.reader, key)
      return (await findLifecyclePolicyOf(metadata.reader, id)) !== undefined
    },

    delete: (key) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        const policy = found(key, await findLifecyclePolicyOf(trx, id))
        await trx.deleteFrom('lifecycle_policy').where('repository_id', '=', id).execute()
        return policy
      }),
  }
}

function found(key: RepositoryKey, policy: StoredPolicy | undefined): StoredPolicy {
  if (policy === undefined) throw refuse('LifecyclePolicyNotFound', inRepository(key))
  return policy
}
