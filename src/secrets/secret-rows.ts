import type { Selectable } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { SecretTable } from '#metadata/schema/secrets.ts'
import type { Registry } from '#names/registry.ts'
import { isSecretName, parseSecretArn, secretArn, splitSecretResource, unknownSuffix } from '#names/secret-name.ts'
import { refuse } from './refusals.ts'
import type { SecretTags } from './secret-tags.ts'
import type { Stages } from './stages.ts'

/** Secrets as the tables have them: found by name and ARN, and locked. */
export interface Secret {
  readonly arn: string
  readonly name: string
  readonly description: string | undefined
  /** As the caller gave it; nothing for the default key. */
  readonly kmsKey: string | undefined
  readonly tags: SecretTags
  /** Milliseconds since the epoch, as all times. */
  readonly createdAt: number
  readonly changedAt: number
  /** Midnight of the last day on which a value was read. */
  readonly accessedAt: number | undefined
  /** When its deletion was asked for, if it is scheduled for deletion. */
  readonly deletedAt: number | undefined
}

export type SecretRow = Selectable<SecretTable>

export function parseSecret(row: SecretRow): Secret {
  return {
    arn: secretArn(row, row.name, row.suffix),
    name: row.name,
    description: row.description ?? undefined,
    kmsKey: row.kms_key ?? undefined,
    // Written by this room.
    tags: JSON.parse(row.tags) as SecretTags,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    accessedAt: row.accessed_at ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
  }
}

export function selectSecrets(reader: Reader, { account, region }: Registry) {
  return reader.selectFrom('secret').selectAll().where('account', '=', account).where('region', '=', region)
}

/** By its whole ARN. */
export async function findSecret(reader: Reader, registry: Registry, arn: string): Promise<SecretRow | undefined> {
  return whole(reader, registry, arn)?.executeTakeFirst()
}

/** By its whole ARN, its row locked until the transaction ends. @throws Refusal `SecretNotFound` */
export async function lockSecret(trx: Transaction, registry: Registry, arn: string): Promise<SecretRow> {
  const row = await whole(trx, registry, arn)?.forUpdate().executeTakeFirst()
  if (row === undefined) throw refuse('SecretNotFound', {})
  return row
}

/** The same of a secret that stays. @throws Refusal `SecretNotFound`, `SecretScheduled` */
export async function lockLiveSecret(trx: Transaction, registry: Registry, arn: string): Promise<SecretRow> {
  const row = await lockSecret(trx, registry, arn)
  requireLive(row)
  return row
}

/** @throws Refusal `SecretScheduled` */
export function requireLive({ deleted_at }: SecretRow): void {
  if (deleted_at !== null) throw refuse('SecretScheduled', {})
}

function whole(reader: Reader, registry: Registry, arn: string) {
  const parsed = parseSecretArn(arn)
  const parts = parsed && splitSecretResource(parsed.resource)
  if (parts === undefined || !isSecretName(parts.name)) return undefined
  if (parsed?.account !== registry.account || parsed.region !== registry.region) return undefined
  return selectSecrets(reader, registry).where('name', '=', parts.name).where('suffix', '=', parts.suffix)
}

/**
 * The whole ARN of the secret that a caller means by a name, a whole ARN or one without the random characters. Where there is none, an
 * ARN that no secret has, which policies decide about in the same way.
 */
export async function secretArnOf(reader: Reader, registry: Registry, secretId: string): Promise<string> {
  const parsed = parseSecretArn(secretId)
  if (parsed === undefined && secretId.startsWith('arn:')) return secretId
  if (parsed !== undefined && (parsed.account !== registry.account || parsed.region !== registry.region))
    return secretId
  if (parsed !== undefined && (await findSecret(reader, registry, secretId)) !== undefined) return secretId
  const name = parsed?.resource ?? secretId
  const row = isSecretName(name)
    ? await selectSecrets(reader, registry).where('name', '=', name).executeTakeFirst()
    : undefined
  if (row !== undefined) return secretArn(registry, row.name, row.suffix)
  const isWhole = parsed !== undefined && splitSecretResource(parsed.resource) !== undefined
  return isWhole ? secretId : secretArn(registry, name, unknownSuffix)
}

/** The labels of each of these secrets, by the id of its row. */
export async function readStages(reader: Reader, ids: readonly number[]): Promise<ReadonlyMap<number, Stages>> {
  if (ids.length === 0) return new Map()
  const rows = await reader
    .selectFrom('secret_stage')
    .selectAll()
    .where('secret_id', 'in', ids)
    .orderBy('stage')
    .execute()
  const stages = new Map<number, Map<string, string>>(ids.map((id) => [id, new Map()]))
  for (const { secret_id, stage, version_id } of rows) stages.get(secret_id)?.set(stage, version_id)
  return stages
}
