import { randomInt } from 'node:crypto'
import { ensureAccount } from '#iam/accounts.ts'
import type { Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { isSecretName, secretNamePrefix } from '#names/secret-name.ts'
import { refuse } from './refusals.ts'
import { type SecretRow, selectSecrets } from './secret-rows.ts'
import { withSecretTags } from './secret-tags.ts'
import type { NewSecret } from './secrets.ts'

/** The creation of a secret, in the steps of its transaction. */

/** @throws Refusal `SecretNameInvalid` */
export function requireName(name: string): void {
  if (!isSecretName(name)) throw refuse('SecretNameInvalid', { problem: 'characters' })
  if (!name.startsWith(secretNamePrefix) || name === secretNamePrefix) {
    throw refuse('SecretNameInvalid', { problem: 'prefix' })
  }
}

/** The secret that has the name, its row locked. @throws Refusal `SecretsTooMany` and those of tags */
export async function insertSecret(
  trx: Transaction,
  registry: Registry,
  { name, description, kmsKey, tags }: NewSecret,
  { now, quota }: { readonly now: number; readonly quota: number },
): Promise<{ readonly row: SecretRow; readonly isNew: boolean }> {
  // Callers that create secrets in an account wait for one another, so that the count below holds.
  await ensureAccount(trx, registry.account, now)
  const made = await trx
    .insertInto('secret')
    .values({
      ...{ account: registry.account, region: registry.region, name, suffix: randomSuffix() },
      ...{ description: description || null, kms_key: kmsKey || null },
      tags: JSON.stringify(withSecretTags({}, tags)),
      ...{ created_at: now, changed_at: now, accessed_at: null, deleted_at: null, purge_at: null },
    })
    .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (made === undefined) {
    const row = await selectSecrets(trx, registry).where('name', '=', name).forUpdate().executeTakeFirst()
    // A deletion may have come in between.
    if (row === undefined) throw refuse('SecretAlreadyExists', { name })
    return { row, isNew: false }
  }
  const beyond = await selectSecrets(trx, registry).offset(quota).limit(1).executeTakeFirst()
  if (beyond !== undefined) throw refuse('SecretsTooMany', { limit: quota })
  return { row: made, isNew: true }
}

/** @throws Refusal `SecretAlreadyExists`, `SecretNameScheduled` unless the request is one that was answered before */
export async function requireSameRequest(
  trx: Transaction,
  row: SecretRow,
  { name, token, value }: NewSecret,
): Promise<void> {
  if (row.deleted_at !== null) throw refuse('SecretNameScheduled', {})
  const version = await trx
    .selectFrom('secret_version')
    .select('version_id')
    .where('secret_id', '=', row.id)
    .where('version_id', '=', token)
    .executeTakeFirst()
  if (version === undefined || value === undefined) throw refuse('SecretAlreadyExists', { name })
}

const suffixCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function randomSuffix(): string {
  return Array.from({ length: 6 }, () => suffixCharacters[randomInt(suffixCharacters.length)]).join('')
}
