import { randomInt } from 'node:crypto'
import { ensureAccount } from '#iam/accounts.ts'
import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { isSecretName, secretNamePrefix } from '#names/secret-name.ts'
import { dropSecret } from './purge.ts'
import { refuse } from './refusals.ts'
import {
  findSecret,
  lockLiveSecret,
  lockSecret,
  parseSecret,
  readStages,
  type Secret,
  type SecretRow,
  secretArnOf,
  selectSecrets,
} from './secret-rows.ts'
import { type SecretTag, type SecretTags, withoutSecretTags, withSecretTags } from './secret-tags.ts'
import type { SecretValue } from './secret-value.ts'
import { addVersion } from './secret-versions.ts'
import type { Stages } from './stages.ts'

/**
 * Secrets with the credentials for upstream registries, as AWS Secrets Manager keeps them. A caller names one by a text of its choice;
 * `arnOf` finds the ARN, which authorization decides about and all else takes.
 */
export interface Secrets {
  /** The whole ARN of the secret that is meant, or one that no secret has. */
  arnOf(registry: Registry, secretId: string): Promise<string>
  /**
   * The same name, token and value is the secret that is there.
   *
   * @throws Refusal `SecretNameInvalid`, `SecretAlreadyExists`, `SecretNameScheduled`, `SecretsTooMany` and those of its members
   */
  create(registry: Registry, secret: NewSecret): Promise<Changed>
  /** Changes what is given. @throws Refusal `SecretNotFound`, `SecretScheduled` and those of a version */
  update(registry: Registry, arn: string, change: SecretChange): Promise<Changed>
  /** @throws Refusal `SecretNotFound` */
  get(registry: Registry, arn: string): Promise<Secret & { readonly stages: Stages }>
  /** @throws Refusal `SecretNotFound`, `SecretScheduled` */
  getLive(registry: Registry, arn: string): Promise<Secret>
  /** @throws Refusal `RecoveryWindowInvalid`, and where it is not forced `SecretNotFound`, `SecretScheduled` */
  delete(registry: Registry, arn: string, how: Deletion): Promise<Deleted>
  /** @throws Refusal `SecretNotFound` */
  restore(registry: Registry, arn: string): Promise<Secret>
  /** @throws Refusal `SecretNotFound`, `SecretScheduled`, `SecretTagInvalid`, `SecretTagsTooMany` */
  addTags(registry: Registry, arn: string, tags: readonly SecretTag[]): Promise<void>
  /** @throws Refusal `SecretNotFound`, `SecretScheduled` */
  removeTags(registry: Registry, arn: string, keys: readonly string[]): Promise<void>
}

export interface NewSecret extends SecretChange {
  readonly name: string
  readonly tags: readonly SecretTag[]
}

export interface SecretChange {
  /** The id of the version that holds the value. */
  readonly token: string
  readonly value: SecretValue | undefined
  readonly description: string | undefined
  readonly kmsKey: string | undefined
}

export interface Changed {
  readonly secret: Secret
  /** Of the version that the call asked for. */
  readonly version: string | undefined
}

export interface Deletion {
  readonly recoveryDays: number | undefined
  readonly force: boolean
}

export interface Deleted {
  /** Nothing where a deletion without recovery finds no secret, which is no error (API reference, DeleteSecret). */
  readonly secret: Secret | undefined
  /** When the secret is gone for good. */
  readonly purgeAt: number
}

export interface SecretParts {
  readonly metadata: Metadata
  readonly box: SecretBox
  readonly clock: Clock
  readonly quotas: { readonly secrets: number }
}

const dayMs = 86_400_000
/** Imposed by Secrets Manager (API reference, DeleteSecret). */
const recoveryDays = { usual: 30, least: 7, most: 30 }

export function createSecrets({ metadata, box, clock, quotas }: SecretParts): Secrets {
  const { reader } = metadata
  return {
    arnOf: (registry, secretId) => secretArnOf(reader, registry, secretId),

    create(registry, given) {
      requireName(given.name)
      const { token, value } = given
      return metadata.transaction(async (trx) => {
        const now = clock()
        const { row, isNew } = await insertSecret(trx, registry, given, { now, quota: quotas.secrets })
        const secret = parseSecret(row)
        if (!isNew) await requireSameRequest(trx, row, given)
        if (value === undefined) return { secret, version: undefined }
        await addVersion(trx, box, row, { token, value }, now)
        return { secret, version: token }
      })
    },

    update: (registry, arn, { token, value, description, kmsKey }) =>
      metadata.transaction(async (trx) => {
        const row = await lockLiveSecret(trx, registry, arn)
        const written = {
          changed_at: clock(),
          ...(description !== undefined && { description: description || null }),
          ...(kmsKey !== undefined && { kms_key: kmsKey || null }),
        }
        await trx.updateTable('secret').set(written).where('id', '=', row.id).execute()
        if (value !== undefined) await addVersion(trx, box, row, { token, value }, clock())
        return { secret: parseSecret({ ...row, ...written }), version: value && token }
      }),

    async get(registry, arn) {
      const row = await findSecret(reader, registry, arn)
      if (row === undefined) throw refuse('SecretNotFound', {})
      const stages = (await readStages(reader, [row.id])).get(row.id) ?? new Map()
      return { ...parseSecret(row), stages }
    },

    async getLive(registry, arn) {
      const secret = await this.get(registry, arn)
      if (secret.deletedAt !== undefined) throw refuse('SecretScheduled', {})
      return secret
    },

    delete(registry, arn, how) {
      const days = windowOf(how)
      return metadata.transaction(async (trx) => {
        const now = clock()
        if (how.force) {
          const row = await findSecret(trx, registry, arn)
          if (row !== undefined) await dropSecret(trx, row.id)
          return { secret: row && parseSecret(row), purgeAt: now }
        }
        const row = await lockLiveSecret(trx, registry, arn)
        const written = { deleted_at: now, purge_at: now + days * dayMs }
        await trx.updateTable('secret').set(written).where('id', '=', row.id).execute()
        return { secret: parseSecret(row), purgeAt: written.purge_at }
      })
    },

    restore: (registry, arn) =>
      metadata.transaction(async (trx) => {
        const row = await lockSecret(trx, registry, arn)
        const written = { deleted_at: null, purge_at: null }
        await trx.updateTable('secret').set(written).where('id', '=', row.id).execute()
        return parseSecret({ ...row, ...written })
      }),

    addTags: (registry, arn, tags) =>
      changeTags(metadata, registry, arn, clock, (present) => withSecretTags(present, tags)),

    removeTags: (registry, arn, keys) =>
      changeTags(metadata, registry, arn, clock, (present) => withoutSecretTags(present, keys)),
  }
}

/** @throws Refusal `SecretNameInvalid` */
function requireName(name: string): void {
  if (!isSecretName(name)) throw refuse('SecretNameInvalid', { problem: 'characters' })
  if (!name.startsWith(secretNamePrefix) || name === secretNamePrefix) {
    throw refuse('SecretNameInvalid', { problem: 'prefix' })
  }
}

/** The secret that has the name, its row locked. @throws Refusal `SecretsTooMany` and those of tags */
async function insertSecret(
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
async function requireSameRequest(trx: Transaction, row: SecretRow, { name, token, value }: NewSecret): Promise<void> {
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

/** In days. @throws Refusal `RecoveryWindowInvalid` */
function windowOf({ recoveryDays: days = recoveryDays.usual, recoveryDays: given, force }: Deletion): number {
  if (force && given !== undefined) throw refuse('RecoveryWindowInvalid', { problem: 'forced' })
  if (days < recoveryDays.least || days > recoveryDays.most) throw refuse('RecoveryWindowInvalid', { problem: 'range' })
  return days
}

function changeTags(
  metadata: Metadata,
  registry: Registry,
  arn: string,
  clock: Clock,
  change: (present: SecretTags) => SecretTags,
): Promise<void> {
  return metadata.transaction(async (trx) => {
    const row = await lockLiveSecret(trx, registry, arn)
    const tags = JSON.stringify(change(parseSecret(row).tags))
    await trx.updateTable('secret').set({ tags, changed_at: clock() }).where('id', '=', row.id).execute()
  })
}
