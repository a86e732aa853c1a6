import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { parseRepository, type Repository } from './repository.ts'

/**
 * How often an image left a count of a repository's images, such as a lifecycle rule makes: it went, or lost a tag or its place in a
 * storage class, or got its first tag, or follows a subject that came. Whoever works out over some time what is to be done with a
 * repository's images holds against it what it has done itself: while it stands, no image stays by the images as they are now that
 * would have gone by them as they were, unless it changed itself, or what it depends on.
 */
export async function countRemoval(trx: Transaction, { id }: Pick<Repository, 'id'>): Promise<void> {
  await trx
    .updateTable('repository')
    .set((eb) => ({ image_removals: eb('image_removals', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

/** To be told of images that came: what was there and has one of them for its subject is no image of its own any more. */
export async function countFollowing(
  trx: Transaction,
  repository: Pick<Repository, 'id'>,
  came: readonly Digest[],
): Promise<void> {
  // PostgreSQL has no empty list.
  if (came.length === 0) return
  const follower = await trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', repository.id)
    .where('subject', 'in', came)
    .where('digest', 'not in', came)
    .limit(1)
    .executeTakeFirst()
  if (follower !== undefined) await countRemoval(trx, repository)
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
