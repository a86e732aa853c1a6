import { type PrincipalChange, renamePrincipal } from '#iam/policy/rename-principal.ts'
import { mayName, type PrincipalChanged } from '#iam/principal-changes.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { registryPolicySetting } from './registry-policy.ts'

/** Who is renamed or deleted is so in the policies of all repositories and registries, whosesoever they are. */
export const renameInResourcePolicies: PrincipalChanged = async (trx, change) => {
  await renameInRepositories(trx, change)
  await renameInRegistries(trx, change)
}

async function renameInRepositories(trx: Transaction, change: PrincipalChange): Promise<void> {
  const rows = await trx
    .selectFrom('repository_policy')
    .select(['repository_id', 'document'])
    .where(mayName('document', change))
    .execute()
  for (const { repository_id: id, document: before } of rows) {
    const document = renamePrincipal(before, change)
    if (document === undefined) continue
    // Only if it is still that one: nobody's newer policy is put back.
    await trx
      .updateTable('repository_policy')
      .set({ document })
      .where('repository_id', '=', id)
      .where('document', '=', before)
      .execute()
  }
}

async function renameInRegistries(trx: Transaction, change: PrincipalChange): Promise<void> {
  const { name, parse } = registryPolicySetting
  const rows = await trx
    .selectFrom('registry_setting')
    .select(['account', 'region', 'document'])
    .where('name', '=', name)
    .where(mayName('document', change))
    .execute()
  for (const { account, region, document: before } of rows) {
    const text = renamePrincipal(parse(JSON.parse(before)).text, change)
    if (text === undefined) continue
    await trx
      .updateTable('registry_setting')
      .set({ document: JSON.stringify({ text }) })
      .where('account', '=', account)
      .where('region', '=', region)
      .where('name', '=', name)
      .where('document', '=', before)
      .execute()
  }
}
