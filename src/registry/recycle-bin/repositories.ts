import type { Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { DeletedRepositoryTable } from '#metadata/schema/registry.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { type Quotas, requireRegistryWithin } from '#registry/quotas.ts'
import { refuse } from '#registry/refusals.ts'
import { inRepository, type Repository } from '#registry/repository.ts'
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
  /** As it was, with all that it held. @throws Refusal `DeletedRepositoryNotFound`, `RepositoryAlreadyExists`, `QuotaExceeded` */
  restore(registry: Registry, id: number): Promise<RepositoryName>
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

    restore: (registry, id) =>
      metadata.transaction(async (trx) => {
        const { account, region } = registry
        // The lock of what it is about to be again.
        await trx.selectFrom('repository').select('id').where('id', '=', id).forUpdate().execute()
        const row = await trx
          .deleteFrom('deleted_repository')
          .where('repository_id', '=', id)
          .where('account', '=', account)
          .where('region', '=', region)
          .where('purge_at', '>', clock())
          .returning('name')
          .executeTakeFirst()
        if (row === undefined) throw refuseDeleted('DeletedRepositoryNotFound', { registry, id })
        const name = parseRepositoryName(row.name)
        const taken = await trx
          .selectFrom('repository')
          .select('id')
          .where('account', '=', account)
          .where('region', '=', region)
          .where('name', '=', name)
          .executeTakeFirst()
        if (taken !== undefined) throw refuse('RepositoryAlreadyExists', inRepository({ registry, name }))
        await trx.updateTable('repository').set({ account, region, name }).where('id', '=', id).execute()
        const all = trx
          .selectFrom('repository')
          .select('name')
          .where('account', '=', account)
          .where('region', '=', region)
        await requireRegistryWithin(trx, quotas, 'repositories', registry, all)
        return name
      }),
  }
}

/** Makes a repository a deleted one, for whoever holds its exclusive lock. */
export async function moveToBin(
  trx: Transaction,
  { id, registry: { account, region }, name }: Repository,
  { by, at }: Act,
  purgeAt: number,
): Promise<void> {
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
