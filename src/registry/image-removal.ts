import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import { closeLinksOf } from './blob-links.ts'
import { noteLinksOf } from './collectable.ts'
import { dropContent } from './image-content.ts'
import { countRemoval } from './image-removals.ts'
import { manifestColumns, referenceColumns } from './manifest-columns.ts'
import type { Repository } from './repository.ts'
import { restorableUntil, retentionSetting } from './retention-settings.ts'
import { readSetting } from './settings.ts'
import { noteSubjectsGone } from './subject-gone.ts'
import { type Act, recordTagMoves } from './tag-moves.ts'

/**
 * Taking images out of a repository, for whoever holds its exclusive lock and has decided that they may go: to the recycle bin, or
 * for good where the registry has none. Either way they are gone from every answer with the transaction, and referrers that they leave
 * behind follow later.
 */

/** `subject`: it went because its subject did, and comes back with it. */
export type RemovalCause = 'delete' | 'lifecycle' | 'subject'

export interface Removal extends Act {
  readonly cause: RemovalCause
}

/** At most some hundred at once. The order of the rows is that in which they refer to one another. */
export async function removeImages(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  removal: Removal,
): Promise<void> {
  if (digests.length === 0) return
  const { id, registry } = repository
  const retention = await readSetting(trx, registry, retentionSetting)
  const tags = await takeTags(trx, repository, digests, removal)
  const purgeAt = restorableUntil(retention, removal.at)
  await closeLinksOf(trx, id, digests)
  if (purgeAt > removal.at) await keepInBin(trx, id, digests, tags, { ...removal, purgeAt })
  else await noteLinksOf(trx, 'manifest_reference', id, digests, removal.at)
  await noteSubjectsGone(trx, repository, digests, removal)
  await dropRows(trx, repository, digests)
}

/**
 * Removes copies that can be fetched again: for good, also where there is a recycle bin. Garbage collection counts what they needed as
 * unneeded since `unneededSince`. Referrers that were pushed stay, because the copy may come back. Requires the exclusive lock.
 */
export async function dropCopies(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  { at, unneededSince }: { readonly at: number; readonly unneededSince: number },
): Promise<readonly TakenTag[]> {
  if (digests.length === 0) return []
  const tags = await takeTags(trx, repository, digests, { by: '', at, cause: 'cache' })
  await closeLinksOf(trx, repository.id, digests)
  await noteLinksOf(trx, 'manifest_reference', repository.id, digests, unneededSince)
  await dropRows(trx, repository, digests)
  return tags
}

interface TakenTag {
  readonly tag: string
  readonly digest: string
}

async function takeTags(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  act: Parameters<typeof recordTagMoves>[3],
): Promise<readonly TakenTag[]> {
  const tags = await trx
    .deleteFrom('tag')
    .where('repository_id', '=', repository.id)
    .where('digest', 'in', digests)
    .returning(['tag', 'digest'])
    .execute()
  const moves = tags.map(({ tag, digest }) => ({ tag: parseTag(tag), from: parseDigest(digest), to: undefined }))
  await recordTagMoves(trx, repository, moves, act)
  return tags
}

async function dropRows(trx: Transaction, repository: Repository, digests: readonly Digest[]): Promise<void> {
  const { id } = repository
  await trx.deleteFrom('manifest_reference').where('repository_id', '=', id).where('parent', 'in', digests).execute()
  await trx.deleteFrom('manifest').where('repository_id', '=', id).where('digest', 'in', digests).execute()
  await dropContent(trx, id, digests)
  await countRemoval(trx, repository)
}

/**
 * An image that was deleted before, pushed again and deleted again is in the bin once, as it was last. What is deleted along with its
 * subject went with it as what follows it later does.
 */
async function keepInBin(
  trx: Transaction,
  id: number,
  digests: readonly Digest[],
  tags: readonly TakenTag[],
  { by, at, cause, purgeAt }: Removal & { readonly purgeAt: number },
): Promise<void> {
  await trx
    .deleteFrom('deleted_image_reference')
    .where('repository_id', '=', id)
    .where('parent', 'in', digests)
    .execute()
  await trx.deleteFrom('deleted_image').where('repository_id', '=', id).where('digest', 'in', digests).execute()
  await trx
    .insertInto('deleted_image')
    .columns([...manifestColumns, 'tags', 'deleted_at', 'deleted_by', 'cause', 'purge_at'])
    .expression((eb) =>
      eb
        .selectFrom('manifest')
        .select([
          ...manifestColumns,
          ...[
            eb.val('[]').as('tags'),
            sql<number>`cast(${at} as bigint)`.as('deleted_at'),
            eb.val(by).as('deleted_by'),
          ],
          ...[eb.val<string>(cause).as('cause'), sql<number>`cast(${purgeAt} as bigint)`.as('purge_at')],
        ])
        .where('repository_id', '=', id)
        .where('digest', 'in', digests),
    )
    .execute()
  if (cause === 'delete') {
    await trx
      .updateTable('deleted_image')
      .set({ cause: 'subject' })
      .where('repository_id', '=', id)
      .where('digest', 'in', digests)
      .where('subject', 'in', digests)
      .execute()
  }
  for (const [digest, those] of Map.groupBy(tags, (tag) => tag.digest)) {
    await trx
      .updateTable('deleted_image')
      .set({ tags: JSON.stringify(those.map(({ tag }) => tag).sort((a, b) => (a < b ? -1 : 1))) })
      .where('repository_id', '=', id)
      .where('digest', '=', digest)
      .execute()
  }
  await trx
    .insertInto('deleted_image_reference')
    .columns(referenceColumns)
    .expression((eb) =>
      eb
        .selectFrom('manifest_reference')
        .select(referenceColumns)
        .where('repository_id', '=', id)
        .where('parent', 'in', digests),
    )
    .execute()
}
