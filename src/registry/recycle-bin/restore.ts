import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import { type Announcements, announce } from '#registry/announcements.ts'
import { requireImagesWithin } from '#registry/image-push.ts'
import { countFollowing } from '#registry/image-removals.ts'
import { recountSizes } from '#registry/image-sizes.ts'
import { restoreImages } from '#registry/image-status.ts'
import { manifestColumns, referenceColumns } from '#registry/manifest-columns.ts'
import type { Quotas } from '#registry/quotas.ts'
import type { Repository } from '#registry/repository.ts'
import type { Act } from '#registry/tag-moves.ts'
import { findTarget, moveTag, requireTagsWithin, type TagMoving } from '#registry/tag-moving.ts'
import { gather } from './gather.ts'
import { forgetDeleted } from './rows.ts'

/** What came back with an image. */
export interface Restored {
  /** The image itself, what an index refers to, and the referrers that went with it; those of them that had gone. */
  readonly digests: readonly Digest[]
  readonly tags: readonly Tag[]
  /** Tags that point elsewhere by now, and stay there. */
  readonly taken: readonly Tag[]
  /** Referrers that went with it and cannot come back: they stay in the bin. */
  readonly left: readonly Digest[]
}

/**
 * Puts an image back as it was, for whoever holds the repository's exclusive lock. Its age counts anew, as that of one restored from
 * the archive does, lest the policy that took it takes it again.
 *
 * @throws Refusal `DeletedImageNotFound`, `ReferencedManifestsMissing`, `ReferencedBlobsMissing`, `QuotaExceeded`
 */
export async function restoreDeleted(
  trx: Transaction,
  repository: Repository,
  digest: Digest,
  quotas: Quotas,
  act: Act,
  announcements: Partial<Announcements> = {},
): Promise<Restored> {
  const { imagesRestored = [] } = announcements
  const { images, left } = await gather(trx, repository, digest, quotas, act.at)
  const digests = [...images.keys()]
  const back = await insertImages(trx, repository, digests, act.at)
  // A client may have pushed their foreign layers meanwhile.
  await recountSizes(trx, repository.id, back)
  await countFollowing(trx, repository, back)
  await requireImagesWithin(trx, quotas, repository)
  const tags: Tag[] = []
  const taken: Tag[] = []
  for (const image of images.values()) {
    const moving: TagMoving = { ...act, cause: 'restore', imageCame: back.includes(image.digest) }
    for (const tag of image.tags)
      ((await putTag(trx, repository, tag, image.digest, moving, announcements)) ? tags : taken).push(tag)
    await requireTagsWithin(trx, quotas, repository, image.digest)
  }
  // What an active index refers to is active, whatever became of it meanwhile. It is named here, since the index itself changes nothing.
  const active = [...images.values()].filter(({ status }) => status === 'ACTIVE').map((image) => image.digest)
  const needed = await findNeeded(trx, repository, active)
  const activated = await restoreImages(trx, repository, [...active, ...needed], act.at)
  await forgetDeleted(trx, repository.id, digests)
  const fromArchive = activated.filter((each) => !back.includes(each))
  if (fromArchive.length > 0) {
    await announce(imagesRestored, trx, { repository, digests: fromArchive, ...act, cause: 'storage class' })
  }
  if (back.length > 0) await announce(imagesRestored, trx, { repository, digests: back, ...act, cause: 'bin' })
  return { digests: back, tags, taken, left }
}

/** What these indexes refer to, be it that it came back with them or was there all the time. */
async function findNeeded(trx: Transaction, { id }: Repository, indexes: readonly Digest[]): Promise<Digest[]> {
  // PostgreSQL has no empty list.
  if (indexes.length === 0) return []
  const rows = await trx
    .selectFrom('manifest_reference')
    .select('child')
    .distinct()
    .where('repository_id', '=', id)
    .where('parent', 'in', indexes)
    .where('kind', '=', 'manifest')
    .execute()
  return rows.map(({ child }) => parseDigest(child))
}

/** Those that an image has as it had them before. */
const keptColumns = manifestColumns.filter((column) => column !== 'archived_at' && column !== 'activated_at')

/** Answers those that were not there: what was pushed again meanwhile stays as it is. */
async function insertImages(
  trx: Transaction,
  { id }: Repository,
  digests: readonly Digest[],
  now: number,
): Promise<Digest[]> {
  const inserted = await trx
    .insertInto('manifest')
    .columns([...keptColumns, 'archived_at', 'activated_at'])
    .expression((eb) =>
      eb
        .selectFrom('deleted_image')
        .select(keptColumns)
        .select([
          sql<number>`case status when 'ARCHIVED' then cast(${now} as bigint) else archived_at end`.as('archived_at'),
          sql<number>`case status when 'ARCHIVED' then activated_at else cast(${now} as bigint) end`.as('activated_at'),
        ])
        .where('repository_id', '=', id)
        .where('digest', 'in', digests),
    )
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('digest')
    .execute()
  await trx
    .insertInto('manifest_reference')
    .columns(referenceColumns)
    .expression((eb) =>
      eb
        .selectFrom('deleted_image_reference')
        .select(referenceColumns)
        .where('repository_id', '=', id)
        .where('parent', 'in', digests),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return inserted.map(({ digest }) => parseDigest(digest))
}

/** Only where it is free, or points to the image already: whoever moved it elsewhere since meant to. False where it does. */
async function putTag(
  trx: Transaction,
  repository: Repository,
  tag: Tag,
  digest: Digest,
  moving: TagMoving,
  announcements: Partial<Announcements>,
): Promise<boolean> {
  const target = await findTarget(trx, repository, tag)
  if (target !== undefined) return target === digest
  return (await moveTag(trx, repository, tag, digest, moving, announcements)) !== undefined
}
