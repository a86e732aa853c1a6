import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { type Announcements, announce, type DeletedImageFacts } from './announcements.ts'
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
  { imagesDeleted = [] }: RemovalAnnouncements = {},
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
  const images = await dropRows(trx, repository, digests, tags)
  await announce(imagesDeleted, trx, { repository, images, ...removal })
}

export type RemovalAnnouncements = Partial<Pick<Announcements, 'imagesDeleted'>>

/**
 * Removes copies that can be fetched again: for good, also where there is a recycle bin. Garbage collection counts what they needed as
 * unneeded since `unneededSince`. Referrers that were pushed stay, because the copy may come back. Requires the exclusive lock.
 */
export async function dropCopies(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  { at, unneededSince }: { readonly at: number; readonly unneededSince: number },
  { imagesDeleted = [] }: RemovalAnnouncements = {},
): Promise<readonly DeletedImageFacts[]> {
  if (digests.length === 0) return []
  const tags = await takeTags(trx, repository, digests, { by: '', at, cause: 'cache' })
  await closeLinksOf(trx, repository.id, digests)
  await noteLinksOf(trx, 'manifest_reference', repository.id, digests, unneededSince)
  const images = await dropRows(trx, repository, digests, tags)
  await announce(imagesDeleted, trx, { repository, images, by: '', at, cause: 'eviction' })
  return images
}

interface TakenTag {
  readonly tag: Tag
  readonly digest: Digest
}

async function takeTags(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  act: Parameters<typeof recordTagMoves>[3],
): Promise<readonly TakenTag[]> {
  const rows = await trx
    .deleteFrom('tag')
    .where('repository_id', '=', repository.id)
    .where('digest', 'in', digests)
    .returning(['tag', 'digest'])
    .execute()
  const tags = rows.map(({ tag, digest }) => ({ tag: parseTag(tag), digest: parseDigest(digest) }))
  const moves = tags.map(({ tag, digest }) => ({ tag, from: digest, to: undefined }))
  await recordTagMoves(trx, repository, moves, act)
  return tags
}

async function dropRows(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  tags: readonly TakenTag[],
): Promise<readonly DeletedImageFacts[]> {
  const { id } = repository
  await trx.deleteFrom('manifest_reference').where('repository_id', '=', id).where('parent', 'in', digests).execute()
  const rows = await trx
    .deleteFrom('manifest')
    .where('repository_id', '=', id)
    .where('digest', 'in', digests)
    .returning(['digest', 'media_type', 'artifact_type'])
    .execute()
  await dropContent(trx, id, digests)
  await countRemoval(trx, repository)
  const byDigest = Map.groupBy(tags, ({ digest }) => digest)
  const gone = new Map(rows.map((row) => [row.digest, row]))
  return digests.flatMap((digest) => {
    const row = gone.get(digest)
    if (row === undefined) return []
    const types = { mediaType: row.media_type, artifactType: row.artifact_type ?? undefined }
    return { digest, ...types, tags: (byDigest.get(digest) ?? []).map(({ tag }) => tag).sort() }
  })
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
