import type { SecretBox } from '#iam/secret-box.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { secretArn } from '#names/secret-name.ts'
import { refuse } from './refusals.ts'
import { readStages, type SecretRow } from './secret-rows.ts'
import { isSameValue, openValue, type SecretValue, sealValue } from './secret-value.ts'
import { type Stages, stagesOf, withVersion } from './stages.ts'

/** Versions of a secret under the lock of its row. */

export interface NewVersion {
  /** Becomes the id of the version. */
  readonly token: string
  readonly value: SecretValue
  readonly stages?: readonly string[] | undefined
}

/**
 * So many versions of a secret are kept; of those without a label the oldest go first. Secrets Manager keeps 100 or more. Ours bounds
 * what one secret takes in the database.
 */
const mostVersions = 20

/**
 * Adds a version and answers its labels. The same token with the same value is the version that is there.
 *
 * @throws Refusal `SecretTokenTaken`, `SecretValueInvalid`, `SecretStagesTooMany`
 */
export async function addVersion(
  trx: Transaction,
  box: SecretBox,
  secret: SecretRow,
  { token, value, stages: given }: NewVersion,
  now: number,
): Promise<readonly string[]> {
  const stages = await stagesOfSecret(trx, secret)
  const present = await trx
    .selectFrom('secret_version')
    .select(['kind', 'sealed'])
    .where('secret_id', '=', secret.id)
    .where('version_id', '=', token)
    .executeTakeFirst()
  if (present !== undefined) {
    if (isSameValue(openValue(box, present), value)) return stagesOf(stages, token)
    throw refuse('SecretTokenTaken', { token, arn: secretArn(secret, secret.name, secret.suffix) })
  }
  const after = withVersion(stages, token, given)
  await trx
    .insertInto('secret_version')
    .values({ secret_id: secret.id, version_id: token, ...sealValue(box, value), created_at: now, accessed_at: null })
    .execute()
  await writeStages(trx, secret, after)
  await touch(trx, secret, now)
  await dropOld(trx, secret, after)
  return stagesOf(after, token)
}

export async function stagesOfSecret(trx: Transaction, { id }: SecretRow): Promise<Stages> {
  return (await readStages(trx, [id])).get(id) ?? new Map()
}

export async function writeStages(trx: Transaction, { id }: SecretRow, stages: Stages): Promise<void> {
  await trx.deleteFrom('secret_stage').where('secret_id', '=', id).execute()
  const rows = [...stages].map(([stage, version_id]) => ({ secret_id: id, stage, version_id }))
  if (rows.length > 0) await trx.insertInto('secret_stage').values(rows).execute()
}

/** Notes when the secret was changed last. */
export async function touch(trx: Transaction, { id }: SecretRow, now: number): Promise<void> {
  await trx.updateTable('secret').set({ changed_at: now }).where('id', '=', id).execute()
}

async function dropOld(trx: Transaction, { id }: SecretRow, stages: Stages): Promise<void> {
  const rows = await trx
    .selectFrom('secret_version')
    .select('version_id')
    .where('secret_id', '=', id)
    .orderBy('created_at', 'desc')
    .orderBy('version_id')
    .execute()
  const labelled = new Set(stages.values())
  const old = rows.map(({ version_id }) => version_id).filter((version) => !labelled.has(version))
  const gone = old.slice(Math.max(0, mostVersions - labelled.size))
  if (gone.length === 0) return
  await trx.deleteFrom('secret_version').where('secret_id', '=', id).where('version_id', 'in', gone).execute()
}
