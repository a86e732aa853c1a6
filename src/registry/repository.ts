import type { Selectable } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { RepositoryTable } from '#metadata/schema/registry.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { type InRepository, refuse } from './refusals.ts'
import type { ResourceTags } from './resource-tags.ts'
import type { TagMutability, TagMutabilityMode } from './tag-mutability.ts'

/** A repository by its registry and name, which is how every surface asks for one. */
export interface RepositoryKey {
  readonly registry: Registry
  readonly name: RepositoryName
}

/** Recorded and shown as ECR does; bytes at rest are as the disk or store below keeps them. */
export type Encryption =
  | { readonly type: 'AES256'; readonly kmsKey?: never }
  | { readonly type: 'KMS' | 'KMS_DSSE'; readonly kmsKey: string }

export interface Repository extends RepositoryKey {
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly tagMutability: TagMutability
  readonly scanOnPush: boolean
  readonly encryption: Encryption
  readonly resourceTags: ResourceTags
  /** Whether images in use are kept; `undefined` leaves it to the registry. */
  readonly keepInUse: boolean | undefined
}

export function selectRepositories(reader: Reader, { account, region }: Registry) {
  return reader.selectFrom('repository').selectAll().where('account', '=', account).where('region', '=', region)
}

/** @throws Refusal `RepositoryNotFound` */
export async function getRepository(reader: Reader, key: RepositoryKey): Promise<Repository> {
  const row = await selectRepositories(reader, key.registry).where('name', '=', key.name).executeTakeFirst()
  if (row === undefined) throw refuse('RepositoryNotFound', inRepository(key))
  return parseRepository(row)
}

/**
 * The first lock of every transaction that changes what a repository holds: `shared` by those that link blobs, `exclusive` for
 * those that move tags, store, archive or delete manifests, unlink, or delete the repository. Whatever else they lock comes after it.
 *
 * @throws Refusal `RepositoryNotFound`
 */
export async function lockRepository(
  trx: Transaction,
  key: RepositoryKey,
  lock: 'shared' | 'exclusive',
): Promise<Repository> {
  const query = selectRepositories(trx, key.registry).where('name', '=', key.name)
  const row = await (lock === 'exclusive' ? query.forUpdate() : query.forShare()).executeTakeFirst()
  if (row === undefined) throw refuse('RepositoryNotFound', inRepository(key))
  return parseRepository(row)
}

/** The same exclusive lock by the number of the row, for whoever has found it there, be it of a deleted repository. */
export async function lockRepositoryRow(trx: Transaction, id: number): Promise<void> {
  await trx.selectFrom('repository').select('id').where('id', '=', id).forUpdate().execute()
}

/** What a refusal says of where it happened. */
export function inRepository({ registry, name }: RepositoryKey): InRepository {
  return { registry, repository: name }
}

export function parseRepository(row: Selectable<RepositoryTable>): Repository {
  return {
    id: row.id,
    registry: { account: parseAccountId(row.account), region: parseRegion(row.region) },
    name: parseRepositoryName(row.name),
    createdAt: row.created_at,
    // What these columns hold was parsed when it was written, by `Repositories`.
    tagMutability: {
      mode: row.tag_mutability as TagMutabilityMode,
      exclusions: JSON.parse(row.tag_mutability_exclusions) as string[],
    },
    scanOnPush: row.scan_on_push === 1,
    encryption:
      row.kms_key === null
        ? { type: 'AES256' }
        : { type: row.encryption_type as 'KMS' | 'KMS_DSSE', kmsKey: row.kms_key },
    resourceTags: JSON.parse(row.resource_tags) as ResourceTags,
    keepInUse: row.keep_in_use === null ? undefined : row.keep_in_use === 1,
  }
}
