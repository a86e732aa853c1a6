import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type Announcements, announce } from './announcements.ts'
import type { ImageQuery, ImageStatus } from './image.ts'
import { getImage } from './image-lists.ts'
import { archiveImages, restoreImages } from './image-status.ts'
import { findKeptInUse } from './kept-in-use.ts'
import { refuse } from './refusals.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'

export type StorageClass = 'STANDARD' | 'ARCHIVE'

/** Archiving images and restoring them, one at a time (ECR user guide, "Archiving an image"). */
export interface StorageClasses {
  /**
   * Puts the image, and what follows it, into that class, or leaves it there. `by` is the ARN of the principal.
   *
   * @throws Refusal `RepositoryNotFound`, `ImageNotFound`, `ImageNotArchivable`, `ImageInUse`
   */
  update(
    key: RepositoryKey,
    query: ImageQuery,
    change: { readonly target: StorageClass; readonly by: string },
  ): Promise<StorageClassUpdate>
}

export interface StorageClassUpdate {
  readonly digest: Digest
  readonly status: ImageStatus
  /** False where the image was in that class before. */
  readonly changed: boolean
}

export function createStorageClasses({
  metadata,
  clock,
  announcements = {},
}: {
  metadata: Metadata
  clock: Clock
  announcements?: Partial<Announcements>
}): StorageClasses {
  return {
    update: (key, query, { target, by }) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const { digest } = await getImage(trx, key, query)
        if (target === 'STANDARD') {
          const at = clock()
          const digests = await restoreImages(trx, repository, [digest], at)
          if (digests.length > 0) {
            await announce(announcements.imagesRestored ?? [], trx, {
              repository,
              digests,
              by,
              at,
              cause: 'storage class',
            })
          }
          return { digest, status: 'ACTIVE', changed: digests.includes(digest) }
        }
        const indexes = await findActiveIndexes(trx, repository, digest)
        if (indexes.length > 0) throw refuse('ImageNotArchivable', { ...inRepository(key), digest, indexes })
        const now = clock()
        const inUseBy = (await findKeptInUse(trx, repository, [digest], now)).get(digest)
        if (inUseBy !== undefined) throw refuse('ImageInUse', { ...inRepository(key), digest, inUseBy })
        const archived = await archiveImages(
          trx,
          repository,
          [digest],
          { by, at: now, cause: 'storage class' },
          announcements,
        )
        return { digest, status: 'ARCHIVED', changed: archived.includes(digest) }
      }),
  }
}

/** As many of them as an error names. */
async function findActiveIndexes(trx: Transaction, { id }: Repository, child: Digest): Promise<Digest[]> {
  const rows = await trx
    .selectFrom('manifest_reference')
    .innerJoin('manifest', (join) =>
      join
        .onRef('manifest.repository_id', '=', 'manifest_reference.repository_id')
        .onRef('manifest.digest', '=', 'manifest_reference.parent'),
    )
    .select('manifest.digest')
    .where('manifest_reference.repository_id', '=', id)
    .where('manifest_reference.child', '=', child)
    .where('manifest_reference.kind', '=', 'manifest')
    .where('manifest.status', '=', 'ACTIVE')
    .orderBy('manifest.digest')
    .limit(10)
    .execute()
  return rows.map(({ digest }) => parseDigest(digest))
}
