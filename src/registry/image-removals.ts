import type { Reader, Transaction } from '#metadata/metadata.ts'
import { parseRepository, type Repository } from './repository.ts'

/**
 * How often something was taken from a repository on which a count of its images rests: an image, a tag, or an image's place in a
 * storage class. Whoever works out over some time what is to be done with a repository's images holds against it what it has done
 * itself; what is merely added makes no image go that would have stayed.
 */
export async function countRemoval(trx: Transaction, { id }: Pick<Repository, 'id'>): Promise<void> {
  await trx
    .updateTable('repository')
    .set((eb) => ({ image_removals: eb('image_removals', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

/** `undefined` for a repository that is gone, or in the recycle bin. */
export async function readRemovals(reader: Reader, id: number): Promise<number | undefined> {
  const row = await selectLive(reader, id).select('image_removals').executeTakeFirst()
  return row?.image_removals
}

/** With its exclusive lock. `undefined` for a repository that is gone, or in the recycle bin. */
export async function lockLive(
  trx: Transaction,
  id: number,
): Promise<{ readonly repository: Repository; readonly removals: number } | undefined> {
  const row = await selectLive(trx, id).selectAll().forUpdate().executeTakeFirst()
  return row && { repository: parseRepository(row), removals: row.image_removals }
}

/** The row of a deleted repository has no account. */
export function selectLive(reader: Reader, id: number) {
  return reader.selectFrom('repository').where('id', '=', id).where('account', '!=', '')
}
