import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { type PrincipalChange, renamePrincipal } from './policy/rename-principal.ts'

/**
 * Policies name users and roles by their ARNs and mean who has that name when they are written (IAM user guide, "AWS JSON policy
 * elements: Principal"). So whoever is renamed is renamed in them too, and whoever is deleted stands there by a unique id that
 * nobody is given again: who comes later under the same name is not trusted for it.
 */
export type PrincipalChanged = (trx: Transaction, change: PrincipalChange) => Promise<void>

/** Whether a document may name that principal. In one with a backslash the name may be written in another way. */
export function mayName(column: string, { from }: PrincipalChange) {
  const document = sql.ref<string>(column)
  return sql<boolean>`(replace(${document}, ${from}, '') <> ${document} or replace(${document}, '\\', '') <> ${document})`
}

export const renameInTrustPolicies: PrincipalChanged = async (trx, change) => {
  const rows = await trx
    .selectFrom('iam_role')
    .select(['id', 'trust_policy'])
    .where(mayName('trust_policy', change))
    .execute()
  for (const { id, trust_policy: before } of rows) {
    const after = renamePrincipal(before, change)
    if (after === undefined) continue
    // One that was put in its place meanwhile was written by who waits for this, or names somebody else.
    await trx
      .updateTable('iam_role')
      .set({ trust_policy: after })
      .where('id', '=', id)
      .where('trust_policy', '=', before)
      .execute()
  }
}
