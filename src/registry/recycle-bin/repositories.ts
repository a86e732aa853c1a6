import type { Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { DeletedRepositoryTable } from '#metadata/schema/registry.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { type Quotas, requireRegistryWithin } from '#registry/quotas.ts'
import { refuse } from '#registry/refusals.ts'
import {
  inRepository,
  lockRepositoryRow,
  type Repository,
  type RepositoryKey,
  selectRepositories,
} from '#registry/repository.ts'
import { noteSubjectsInBin } from '#registry/subject-gone.ts'
import type { Act } from '#registry/tag-moves.ts'
import { refuseDeleted } from './refusals.ts'

/**
 * Deleted repositories, with all that they held, for as long as the registry keeps what is deleted. The row of one belongs to no
 * account while it is here, so that whoever asks by name finds neither it nor anything in it.
 */
export interface DeletedRepositories {
  /** The last deleted first. */
  list(
    registry: Registry,
    page: { readonly limit: number; readonly after?: number | undefined },
  ): Promise<Page<DeletedRepository, number>>
  /** The number of the one of this name and `id`, or of the last of this name that was deleted. */
  find(key: RepositoryKey, id: number | undefined): Promise<number | undefined>
  /**
   * As it was, with all that it held: the one that `find` finds.
   *
   * @throws Refusal `DeletedRepositoryNotFound`, `RepositoryAlreadyExists`, `QuotaExceeded`
   */
  restore(key: RepositoryKey, id: number | undefined): Promise<DeletedRepository>
}

/** Times are milliseconds since the epoch. */
export interface DeletedRepository {
  /** Tells those of one name apart. */
  readonly id: number
  readonly name: RepositoryName
  readonly deletedAt: number
  /** The ARN of the principal. */
  readonly deletedBy: string
  /** When it goes for good. */
  readonly purgeAt: number
}

export function createDeletedRepositories({
  metadata,
  clock,
  quotas,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
}): DeletedRepositories {
  return {
    async list({ account, region }, { limit, after }) {
      const rows = await metadata.reader
        .selectFrom('deleted_repository')
        .selectAll()
        .where('account', '=', account)
        .where('region', '=', region)
        .where('purge_at', '>', clock())
        .$if(after !== undefined, (query) => query.where('repository_id', '<', after ?? 0))
        .orderBy('repository_id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseDeletedRepository), limit, ({ id }) => id)
    },

    find: (key, wanted) => find(metadata.reader, key, wanted, clock()),

    restore: (key, wanted) =>
      metadata.transaction(async (trx) => {
        const { registry, name } = key
        const { account, region } = registry
        const id = (await find(trx, key, wanted, clock())) ?? 0
        // The lock of what it is about to be again; who purges or restores it has it too.
        await lockRepositoryRow(trx, id)
        const deleted = await selectInBin(trx, key, clock()).where('repository_id', '=', id).executeTakeFirst()
        if (deleted === undefined)
          throw refuseDeleted('DeletedRepositoryNotFound', { ...inRepository(key), id: wanted })
        if (!(await isFree(trx, key, id))) throw refuse('RepositoryAlreadyExists', inRepository(key))
        await trx.deleteFrom('deleted_repository').where('repository_id', '=', id).execute()
        await trx.updateTable('repository').set({ account, region, name }).where('id', '=', id).execute()
        await noteSubjectsInBin(trx, id, clock())
        await requireRegistryWithin(trx, quotas, 'repositories', registry, selectRepositories(trx, registry))
        return parseDeletedRepository(deleted)
      }),
  }
}

function selectInBin(reader: Reader, { registry: { account, region }, name }: RepositoryKey, now: number) {
  return reader
    .selectFrom('deleted_repository')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name)
    .where('purge_at', '>', now)
}

async function find(
  reader: Reader,
  key: RepositoryKey,
  wanted: number | undefined,
  now: number,
): Promise<number | undefined> {
  const row = await selectInBin(reader, key, now)
    .$if(wanted !== undefined, (query) => query.where('repository_id', '=', wanted ?? 0))
    .orderBy('deleted_at', 'desc')
    .orderBy('repository_id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.repository_id
}

/**
 * Whether nobody has the name, nor takes it until the end of the transaction. Who creates one of that name inserts its row first, so that of
 * two at once the second waits for the first, and then sees it; so it is done here, with a row that goes at once.
 */
async function isFree(
  trx: Transaction,
  { registry: { account, region }, name }: RepositoryKey,
  id: number,
): Promise<boolean> {
  const others = ['tag_mutability', 'tag_mutability_exclusions', 'scan_on_push', 'encryption_type', 'kms_key'] as const
  const columns = [...others, 'resource_tags', 'created_at'] as const
  const row = await trx
    .insertInto('repository')
    .columns(['account', 'region', 'name', ...columns])
    .expression((eb) =>
      eb
        .selectFrom('repository')
        .select([eb.val(account).as('account'), eb.val(region).as('region'), eb.val(name).as('name'), ...columns])
        .where('id', '=', id),
    )
    .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) return false
  await trx.deleteFrom('repository').where('id', '=', row.id).execute()
  return true
}

/** Makes a repository a deleted one, for whoever holds its exclusive lock. Its uploads end: what still comes for one is refused, and their drafts are strays. */
export async function moveToBin(
  trx: Transaction,
  { id, registry: { account, region }, name }: Repository,
  { by, at }: Act,
  purgeAt: number,
): Promise<void> {
  await trx.deleteFrom('upload').where('repository_id', '=', id).execute()
  await trx
    .insertInto('deleted_repository')
    .values({ repository_id: id, account, region, name, deleted_at: at, deleted_by: by, purge_at: purgeAt })
    .execute()
  await trx
    .updateTable('repository')
    .set({ account: '', region: '', name: String(id) })
    .where('id', '=', id)
    .execute()
}

function parseDeletedRepository(row: Selectable<DeletedRepositoryTable>): DeletedRepository {
  return {
    id: row.repository_id,
    name: parseRepositoryName(row.name),
    deletedAt: row.deleted_at,
    deletedBy: row.deleted_by,
    purgeAt: row.purge_at,
  }
}
