import type { Transaction } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { lockRepositoryRow, type Repository } from '#registry/repository.ts'

/** Whose an image in the bin is: a repository, by the name that it has or had. */
export interface Owner extends Pick<Repository, 'id' | 'registry' | 'name' | 'keepInUse'> {
  /** When it goes for good, if it was deleted itself. */
  readonly purgeAt: number | undefined
}

/** With its exclusive lock. `undefined` if it is gone for good. */
export async function lockOwner(trx: Transaction, id: number): Promise<Owner | undefined> {
  // By itself, since PostgreSQL locks no row that is joined and may be missing.
  await lockRepositoryRow(trx, id)
  const row = await trx
    .selectFrom('repository as live')
    .leftJoin('deleted_repository as deleted', 'deleted.repository_id', 'live.id')
    .select(['live.account', 'live.region', 'live.name', 'live.keep_in_use'])
    .select(['deleted.account as past_account', 'deleted.region as past_region', 'deleted.name as past_name'])
    .select('deleted.purge_at')
    .where('live.id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    id,
    registry: {
      account: parseAccountId(row.past_account ?? row.account),
      region: parseRegion(row.past_region ?? row.region),
    },
    name: parseRepositoryName(row.past_name ?? row.name),
    keepInUse: row.keep_in_use === null ? undefined : row.keep_in_use === 1,
    purgeAt: row.purge_at ?? undefined,
  }
}
