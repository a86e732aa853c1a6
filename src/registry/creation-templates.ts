import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { RepositoryCreationTemplateTable } from '#metadata/schema/registry.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import {
  findMostSpecific,
  parseRepositoryPrefix,
  prefixesCovering,
  type RepositoryPrefix,
} from '#names/repository-prefix.ts'
import { accountOfRole } from '#names/role-arn.ts'
import { type EncryptionChoice, parseEncryption } from './encryption.ts'
import { type Quotas, requireRegistryWithin } from './quotas.ts'
import { refuse, type TemplateMember } from './refusals.ts'
import { type ResourceTag, type ResourceTags, withResourceTags } from './resource-tags.ts'
import { parseTagMutability, type TagMutability, type TagMutabilityMode } from './tag-mutability.ts'

/**
 * Templates by which repositories are made that nobody creates by hand (ECR user guide, "Templates to control repositories
 * created during a pull through cache, create on push, or replication action"). They act at the moment of creation and never after.
 */
export interface CreationTemplate extends TemplateSettings {
  readonly registry: Registry
  readonly prefix: RepositoryPrefix
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** On what occasion a repository comes to be. */
export type CreationReason = 'PULL_THROUGH_CACHE' | 'REPLICATION' | 'CREATE_ON_PUSH'

export interface TemplateSettings {
  readonly appliedFor: readonly CreationReason[]
  readonly tagMutability: TagMutability
  /** As it was given: which key a KMS encryption without one means is decided when a repository is made. */
  readonly encryption: EncryptionChoice
  readonly resourceTags: ResourceTags
  readonly description?: string | undefined
  /** Documents, as they were given. */
  readonly repositoryPolicy?: string | undefined
  readonly lifecyclePolicy?: string | undefined
  readonly customRoleArn?: string | undefined
}

/** What a request says of a template. What it leaves out stays as it is, or as ECR has it by default; an empty text takes away. */
export interface TemplateChange {
  readonly appliedFor?: readonly CreationReason[] | undefined
  readonly tagMutabilityMode?: TagMutabilityMode | undefined
  readonly tagMutabilityExclusions?: readonly string[] | undefined
  readonly encryption?: EncryptionChoice | undefined
  readonly resourceTags?: readonly ResourceTag[] | undefined
  readonly description?: string | undefined
  readonly repositoryPolicy?: string | undefined
  readonly lifecyclePolicy?: string | undefined
  readonly customRoleArn?: string | undefined
}

export interface SeenTemplate {
  readonly prefix: RepositoryPrefix
  /** Absent where there was none. */
  readonly template: CreationTemplate | undefined
}

export interface CreationTemplates {
  /** @throws Refusal `TemplateAlreadyExists`, `QuotaExceeded` and those of its settings */
  create(registry: Registry, prefix: RepositoryPrefix, settings: TemplateChange): Promise<CreationTemplate>
  /**
   * Changes nothing and returns `undefined` if the template is no longer as the caller has `seen` it: the caller's right to the
   * change depends on what the template holds.
   *
   * @throws Refusal `TemplateNotFound` and those of its settings
   */
  update(registry: Registry, change: TemplateChange, seen: SeenTemplate): Promise<CreationTemplate | undefined>
  /** As `update`. @throws Refusal `TemplateNotFound` */
  delete(registry: Registry, seen: SeenTemplate): Promise<CreationTemplate | undefined>
  /** Those of these prefixes that are there, in the order of the prefixes. */
  findAll(registry: Registry, prefixes: readonly RepositoryPrefix[]): Promise<CreationTemplate[]>
  /** By prefix. `after` is the key of an earlier page. */
  list(registry: Registry, page: { limit: number; after?: string | undefined }): Promise<Page<CreationTemplate, string>>
}

/** Throws a Refusal where the text is no document of its kind. */
type ParseDocument = (text: string) => unknown

/** The grammars of the documents that a template may hold, which are other rooms'. */
export interface TemplateDocuments {
  readonly repositoryPolicy: ParseDocument
  readonly lifecyclePolicy: ParseDocument
}

/** The template for a repository that is about to be made: of those for this occasion the one with the longest prefix. */
export function findTemplate(
  templates: readonly CreationTemplate[],
  name: RepositoryName,
  reason: CreationReason,
): CreationTemplate | undefined {
  const applied = templates.filter(({ appliedFor }) => appliedFor.includes(reason))
  return findMostSpecific(applied, name)
}

/** As `findTemplate`, of the templates that the registry has. */
export async function readTemplate(
  reader: Reader,
  registry: Registry,
  name: RepositoryName,
  reason: CreationReason,
): Promise<CreationTemplate | undefined> {
  const rows = await selectTemplates(reader, registry).where('prefix', 'in', prefixesCovering(name)).execute()
  return findTemplate(
    rows.map((row) => parseTemplate(registry, row)),
    name,
    reason,
  )
}

export function createCreationTemplates({
  metadata,
  clock,
  quotas,
  documents,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
  documents: TemplateDocuments
}): CreationTemplates {
  return {
    create(registry, prefix, given) {
      const settings = changeSettings(defaults, given, registry, documents)
      const { account, region } = registry
      return metadata.transaction(async (trx) => {
        const now = clock()
        const row = await trx
          .insertInto('repository_creation_template')
          .values({ account, region, prefix, settings: JSON.stringify(settings), created_at: now, updated_at: now })
          .onConflict((conflict) => conflict.columns(['account', 'region', 'prefix']).doNothing())
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) throw refuse('TemplateAlreadyExists', { registry, prefix })
        await requireRegistryWithin(
          trx,
          quotas,
          'repositoryCreationTemplates',
          registry,
          selectTemplates(trx, registry),
        )
        return parseTemplate(registry, row)
      })
    },

    update: (registry, change, seen) =>
      metadata.transaction(async (trx) => {
        const { prefix } = seen
        const present = await lockTemplate(trx, registry, prefix)
        if (!isAsSeen(present, seen)) return undefined
        const settings = JSON.stringify(changeSettings(parseSettings(present.settings), change, registry, documents))
        const written = { settings, updated_at: clock() }
        await trx
          .updateTable('repository_creation_template')
          .set(written)
          .where('account', '=', registry.account)
          .where('region', '=', registry.region)
          .where('prefix', '=', prefix)
          .execute()
        return parseTemplate(registry, { ...present, ...written })
      }),

    delete: (registry, seen) =>
      metadata.transaction(async (trx) => {
        const { prefix } = seen
        const present = await lockTemplate(trx, registry, prefix)
        if (!isAsSeen(present, seen)) return undefined
        await trx
          .deleteFrom('repository_creation_template')
          .where('account', '=', registry.account)
          .where('region', '=', registry.region)
          .where('prefix', '=', prefix)
          .execute()
        return parseTemplate(registry, present)
      }),

    async findAll(registry, prefixes) {
      if (prefixes.length === 0) return []
      const rows = await selectTemplates(metadata.reader, registry)
        .where('prefix', 'in', [...prefixes])
        .execute()
      const found = new Map(rows.map((row) => [row.prefix, parseTemplate(registry, row)]))
      return prefixes.flatMap((prefix) => found.get(prefix) ?? [])
    },

    async list(registry, { limit, after }) {
      const rows = await selectTemplates(metadata.reader, registry)
        .$if(after !== undefined, (query) => query.where('prefix', '>', after ?? ''))
        .orderBy('prefix')
        .limit(limit + 1)
        .execute()
      return pageOf(
        rows.map((row) => parseTemplate(registry, row)),
        limit,
        ({ prefix }) => prefix,
      )
    },
  }
}

function selectTemplates(reader: Reader, { account, region }: Registry) {
  return reader
    .selectFrom('repository_creation_template')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region)
}

/** @throws Refusal `TemplateNotFound` */
async function lockTemplate(trx: Transaction, registry: Registry, prefix: RepositoryPrefix) {
  const row = await selectTemplates(trx, registry).where('prefix', '=', prefix).forUpdate().executeTakeFirst()
  if (row === undefined) throw refuse('TemplateNotFound', { registry, prefix })
  return row
}

function isAsSeen({ settings }: RepositoryCreationTemplateTable, { template }: SeenTemplate): boolean {
  if (template === undefined) return false
  const { registry, prefix, createdAt, updatedAt, ...seen } = template
  return isDeepStrictEqual(parseSettings(settings), seen)
}

function parseTemplate(registry: Registry, row: RepositoryCreationTemplateTable): CreationTemplate {
  return {
    registry,
    prefix: parseRepositoryPrefix(row.prefix),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...parseSettings(row.settings),
  }
}

/** What the column holds was parsed when it was written. */
function parseSettings(json: string): TemplateSettings {
  return JSON.parse(json) as TemplateSettings
}

const defaults: TemplateSettings = {
  appliedFor: [],
  tagMutability: { mode: 'MUTABLE', exclusions: [] },
  encryption: { type: 'AES256' },
  resourceTags: {},
}

/** @throws Refusal of whatever member is wrong */
function changeSettings(
  present: TemplateSettings,
  given: TemplateChange,
  registry: Registry,
  documents: TemplateDocuments,
): TemplateSettings {
  const {
    description = present.description,
    repositoryPolicy = present.repositoryPolicy,
    lifecyclePolicy = present.lifecyclePolicy,
    customRoleArn = present.customRoleArn,
    encryption = present.encryption,
    appliedFor = present.appliedFor,
  } = given
  parseEncryption(registry, encryption)
  for (const member of ['repositoryPolicy', 'lifecyclePolicy'] as const) {
    const text = given[member]
    if (text) requireParses(member, () => documents[member](text))
  }
  if (customRoleArn && accountOfRole(customRoleArn) !== registry.account) {
    throw refuse('TemplateMemberInvalid', { member: 'customRoleArn' })
  }
  return {
    appliedFor: [...new Set(appliedFor)],
    tagMutability: changeTagMutability(present.tagMutability, given),
    encryption,
    resourceTags:
      given.resourceTags === undefined ? present.resourceTags : parseResourceTags(registry, given.resourceTags),
    description: description || undefined,
    repositoryPolicy: repositoryPolicy || undefined,
    lifecyclePolicy: lifecyclePolicy || undefined,
    customRoleArn: customRoleArn || undefined,
  }
}

/** A mode that takes filters keeps those that are there. */
function changeTagMutability(
  present: TagMutability,
  { tagMutabilityMode: mode = present.mode, tagMutabilityExclusions: given }: TemplateChange,
): TagMutability {
  return parseTagMutability(mode, given ?? (mode.endsWith('_WITH_EXCLUSION') ? present.exclusions : undefined))
}

function parseResourceTags(registry: Registry, tags: readonly ResourceTag[]): ResourceTags {
  return requireParses('resourceTags', () => withResourceTags({}, tags, { registry }))
}

/** Whatever is wrong with such a member of a template, ECR has one exception for it. */
function requireParses<T>(member: TemplateMember, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof Refusal ? refuse('TemplateMemberInvalid', { member }) : error
  }
}
