import type { PolicyDocument } from '#iam/policy/document.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, lockRepository, type RepositoryKey } from './repository.ts'
import { readResourcePolicy } from './resource-policy.ts'

/** The policy of a repository (ECR user guide, "Private repository policies"): one document, replaced whole, in force at once. */
export interface RepositoryPolicies {
  /**
   * `leavesAccess` tells whether whoever sets it could still change it afterwards; without it nobody asks.
   *
   * @throws Refusal `RepositoryNotFound`, `ResourcePolicyInvalid`, `ResourcePolicyPrincipalNotFound`, `RepositoryPolicyLocksOut`
   */
  set(key: RepositoryKey, text: string, leavesAccess?: (policy: PolicyDocument) => boolean): Promise<void>
  /** As it was set. @throws Refusal `RepositoryNotFound`, `RepositoryPolicyNotFound` */
  get(key: RepositoryKey): Promise<string>
  /** Answers what it was. @throws Refusal `RepositoryNotFound`, `RepositoryPolicyNotFound` */
  delete(key: RepositoryKey): Promise<string>
}

export function createRepositoryPolicies({ metadata }: { readonly metadata: Metadata }): RepositoryPolicies {
  return {
    set: (key, text, leavesAccess) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        const policy = await readResourcePolicy(trx, text, 'repository')
        if (leavesAccess?.(policy) === false) throw refuse('RepositoryPolicyLocksOut', inRepository(key))
        await trx
          .insertInto('repository_policy')
          .values({ repository_id: id, document: text })
          .onConflict((conflict) => conflict.column('repository_id').doUpdateSet({ document: text }))
          .execute()
      }),

    async get(key) {
      const { id } = await getRepository(metadata.reader, key)
      return documentOf(metadata.reader, key, id)
    },

    delete: (key) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        const document = await documentOf(trx, key, id)
        await trx.deleteFrom('repository_policy').where('repository_id', '=', id).execute()
        return document
      }),
  }
}

async function documentOf(reader: Reader, key: RepositoryKey, id: number): Promise<string> {
  const row = await reader
    .selectFrom('repository_policy')
    .select('document')
    .where('repository_id', '=', id)
    .executeTakeFirst()
  if (row === undefined) throw refuse('RepositoryPolicyNotFound', inRepository(key))
  return row.document
}
