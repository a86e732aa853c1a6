import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { dropSecret } from './purge.ts'
import { refuse } from './refusals.ts'
import { insertSecret, requireName, requireSameRequest } from './secret-creation.ts'
import {
  findSecret,
  lockLiveSecret,
  lockSecret,
  parseSecret,
  readStages,
  type Secret,
  secretArnOf,
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
