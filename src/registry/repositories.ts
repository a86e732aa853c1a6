import type { Insertable } from 'kysely'
import { enqueue } from '#jobs/queue.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { RepositoryTable } from '#metadata/schema/registry.ts'
import type { RepositoryArn } from '#names/arn.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { type Announcements, announce } from './announcements.ts'
import { type CreationReason, readTemplate } from './creation-templates.ts'
import { type EncryptionChoice, parseEncryption } from './encryption.ts'
import { findOneKeptInUse } from './kept-in-use.ts'
import { type Quotas, requireRegistryWithin } from './quotas.ts'
import { emptyRecycleBin } from './recycle-bin/purge.ts'
import { moveToBin } from './recycle-bin/repositories.ts'
import { findLastPurge } from './recycle-bin/rows.ts'
import { refuse } from './refusals.ts'
import {
  getRepository,
  inRepository,
  lockRepository,
  parseRepository,
  type Repository,
  type RepositoryKey,
  selectRepositories,
} from './repository.ts'
import { type ResourceTag, type ResourceTags, withoutResourceTags, withResourceTags } from './resource-tags.ts'
import { restorableUntil, retentionSetting } from './retention-settings.ts'
import { readSetting } from './settings.ts'
import { parseTagMutability, type TagMutability, type TagMutabilityMode } from './tag-mutability.ts'

/** What a new repository may be given; ECR's defaults for the rest. */
export interface NewRepository {
  readonly tagMutability?: { readonly mode: TagMutabilityMode; readonly exclusions?: readonly string[] | undefined }
  readonly scanOnPush?: boolean
  readonly encryption?: EncryptionChoice
  readonly resourceTags?: readonly ResourceTag[]
}

export interface Repositories {
  /** @throws Refusal `RepositoryAlreadyExists`, `QuotaExceeded` and those of its settings */
  create(key: RepositoryKey, settings: NewRepository): Promise<Repository>
  /**
   * Creates the repository as the template says that covers it on this occasion, with the template's policies. False where none
   * does; true also where somebody else has created it by now.
   *
   * @throws Refusal `TemplateRoleMissing`, `QuotaExceeded`
   */
  createFromTemplate(key: RepositoryKey, reason: CreationReason): Promise<boolean>
  /** @throws Refusal `RepositoryNotFound` */
  get(key: RepositoryKey): Promise<Repository>
  /** Those of these names that exist, in the order of the names. */
  findAll(registry: Registry, names: readonly RepositoryName[]): Promise<ReadonlyMap<RepositoryName, Repository>>
  /** Those of these names, in the order of the names. @throws Refusal `RepositoryNotFound` for the first that is missing */
  getAll(registry: Registry, names: readonly RepositoryName[]): Promise<Repository[]>
  /** By name. `after` is the key of an earlier page. */
  list(registry: Registry, page: { limit: number; after?: string | undefined }): Promise<Page<Repository, string>>
  /**
   * With `force` whatever it holds goes too: into the recycle bin, or for good soon after. `by` is the principal's ARN.
   *
   * @throws Refusal `RepositoryNotFound`, `RepositoryNotEmpty`, `RepositoryInUse`
   */
  delete(key: RepositoryKey, options: { readonly force: boolean; readonly by: string }): Promise<Repository>
  /** Changes no existing tag. @throws Refusal `RepositoryNotFound`, `TagMutability…` */
  putTagMutability(
    key: RepositoryKey,
    mode: TagMutabilityMode,
    exclusions: readonly string[] | undefined,
  ): Promise<TagMutability>
  /** Starts no scan. @throws Refusal `RepositoryNotFound` */
  putScanOnPush(key: RepositoryKey, scanOnPush: boolean): Promise<void>
  /** @throws Refusal `RepositoryNotFound`, `ResourceTagInvalid`, `TooManyResourceTags` */
  addResourceTags(arn: RepositoryArn, tags: readonly ResourceTag[]): Promise<void>
  /** @throws Refusal `RepositoryNotFound` */
  removeResourceTags(arn: RepositoryArn, keys: readonly string[]): Promise<void>
}

export function createRepositories({
  metadata,
  clock,
  quotas,
  repositoryCreated,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
  repositoryCreated: Announcements['repositoryCreated']
}): Repositories {
  /** `undefined` if there is one of that name. */
  async function insert(trx: Transaction, key: RepositoryKey, values: RepositoryValues, lifecyclePolicy?: string) {
    const { account, region } = key.registry
    const row = await trx
      .insertInto('repository')
      .values({ account, region, name: key.name, created_at: clock(), ...values })
      .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doNothing())
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) return undefined
    const all = trx.selectFrom('repository').select('name').where('account', '=', account).where('region', '=', region)
    await requireRegistryWithin(trx, quotas, 'repositories', key.registry, all)
    const repository = parseRepository(row)
    await announce(repositoryCreated, trx, { repository, lifecyclePolicy })
    return repository
  }

  return {
    create(key, settings) {
      const values = valuesOf(key, settings)
      return metadata.transaction(async (trx) => {
        const repository = await insert(trx, key, values)
        if (repository === undefined) throw refuse('RepositoryAlreadyExists', inRepository(key))
        return repository
      })
    },

    createFromTemplate: (key, reason) =>
      metadata.transaction(async (trx) => {
        const template = await readTemplate(trx, key.registry, key.name, reason)
        if (template === undefined) return false
        const { prefix, customRoleArn, encryption, resourceTags, tagMutability, repositoryPolicy } = template
        const needsRole = encryption.type !== 'AES256' || Object.keys(resourceTags).length > 0
        if (needsRole && customRoleArn === undefined)
          throw refuse('TemplateRoleMissing', { ...inRepository(key), prefix })
        const values = valuesOf(key, {
          tagMutability,
          encryption,
          resourceTags: Object.entries(resourceTags).map(([key, value]) => ({ key, value })),
        })
        const repository = await insert(trx, key, values, template.lifecyclePolicy)
        if (repository !== undefined && repositoryPolicy !== undefined) {
          await trx
            .insertInto('repository_policy')
            .values({ repository_id: repository.id, document: repositoryPolicy })
            .execute()
        }
        return true
      }),

    get: (key) => getRepository(metadata.reader, key),

    findAll: (registry, names) => findRepositories(metadata.reader, registry, names),

    async getAll(registry, names) {
      const found = await findRepositories(metadata.reader, registry, names)
      return names.map((name) => {
        const repository = found.get(name)
        if (repository === undefined) throw refuse('RepositoryNotFound', inRepository({ registry, name }))
        return repository
      })
    },

    async list(registry, { limit, after }) {
      const rows = await selectRepositories(metadata.reader, registry)
        .$if(after !== undefined, (query) => query.where('name', '>', after ?? ''))
        .orderBy('name')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseRepository), limit, ({ name }) => name)
    },

    delete: (key, { force, by }) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const holds = await holdsImages(trx, repository)
        if (holds && !force) throw refuse('RepositoryNotEmpty', inRepository(key))
        const inUse = await findOneKeptInUse(trx, repository, clock())
        if (inUse !== undefined) throw refuse('RepositoryInUse', { ...inRepository(key), ...inUse })
        const retention = await readSetting(trx, key.registry, retentionSetting)
        const at = clock()
        const promised = await findLastPurge(trx, repository, at)
        const kept = holds || promised !== undefined ? restorableUntil(retention, at) : at
        // What its bin was promised it keeps, though the setting says less by now.
        const purgeAt = Math.max(kept, promised ?? at)
        await moveToBin(trx, repository, { by, at }, purgeAt)
        await enqueue(trx, emptyRecycleBin, {}, { at: purgeAt })
        return repository
      }),

    async putTagMutability(key, mode, exclusions) {
      const tagMutability = parseTagMutability(mode, exclusions)
      await metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        await trx
          .updateTable('repository')
          .set({
            tag_mutability: tagMutability.mode,
            tag_mutability_exclusions: JSON.stringify(tagMutability.exclusions),
          })
          .where('id', '=', id)
          .execute()
      })
      return tagMutability
    },

    putScanOnPush: (key, scanOnPush) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        const scan_on_push = scanOnPush ? 1 : 0
        await trx.updateTable('repository').set({ scan_on_push }).where('id', '=', id).execute()
      }),

    addResourceTags: (arn, tags) =>
      changeResourceTags(metadata, arn, (present, key) => withResourceTags(present, tags, inRepository(key))),
    removeResourceTags: (arn, keys) =>
      changeResourceTags(metadata, arn, (present) => withoutResourceTags(present, keys)),
  }
}

type RepositoryValues = Omit<Insertable<RepositoryTable>, 'id' | 'account' | 'region' | 'name' | 'created_at'>

/** @throws Refusal of the setting that is wrong */
function valuesOf(key: RepositoryKey, settings: NewRepository): RepositoryValues {
  const { mode = 'MUTABLE', exclusions } = settings.tagMutability ?? {}
  const tagMutability = parseTagMutability(mode, exclusions)
  const encryption = parseEncryption(key.registry, settings.encryption)
  const resourceTags = withResourceTags({}, settings.resourceTags ?? [], inRepository(key))
  return {
    tag_mutability: tagMutability.mode,
    tag_mutability_exclusions: JSON.stringify(tagMutability.exclusions),
    scan_on_push: settings.scanOnPush ? 1 : 0,
    encryption_type: encryption.type,
    kms_key: encryption.kmsKey ?? null,
    resource_tags: JSON.stringify(resourceTags),
  }
}

async function findRepositories(
  reader: Reader,
  registry: Registry,
  names: readonly RepositoryName[],
): Promise<ReadonlyMap<RepositoryName, Repository>> {
  const rows = await selectRepositories(reader, registry)
    .where('name', 'in', [...names])
    .execute()
  const found = new Map<string, Repository>(rows.map((row) => [row.name, parseRepository(row)]))
  return new Map(
    names.flatMap((name) => {
      const repository = found.get(name)
      return repository === undefined ? [] : [[name, repository] as const]
    }),
  )
}

async function changeResourceTags(
  metadata: Metadata,
  { account, region, repository }: RepositoryArn,
  change: (present: ResourceTags, key: RepositoryKey) => ResourceTags,
): Promise<void> {
  const key = { registry: { account, region }, name: repository }
  await metadata.transaction(async (trx) => {
    const { id, resourceTags } = await lockRepository(trx, key, 'exclusive')
    const resource_tags = JSON.stringify(change(resourceTags, key))
    await trx.updateTable('repository').set({ resource_tags }).where('id', '=', id).execute()
  })
}

async function holdsImages(trx: Transaction, { id }: Repository): Promise<boolean> {
  const row = await trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', id)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
