import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { type Announcements, announce } from './announcements.ts'
import {
  type DeletionFailure,
  type DeletionPlan,
  type HeldImages,
  type LastTag,
  planDeletion,
} from './deletion-plan.ts'
import type { ImageId, ImageQuery } from './image.ts'
import { isAsked } from './image-query.ts'
import { removeImages } from './image-removal.ts'
import { countRemoval } from './image-removals.ts'
import type { Uses } from './in-use.ts'
import { findKeptInUse } from './kept-in-use.ts'
import { refuse } from './refusals.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'
import { type Act, recordTagMoves } from './tag-moves.ts'

/** Deleting images, which go to the recycle bin. Blobs stay linked until garbage is collected. */
export interface ImageDeletion {
  /**
   * Deletes by digest the image with all its tags, by tag that tag, which leaves its image (OCI). `by` is the principal's ARN.
   *
   * @throws Refusal `RepositoryNotFound`, `ImageNotFound`, `ImageReferencedByIndex`, `ImageInUse`
   */
  delete(key: RepositoryKey, query: ImageQuery, by: string): Promise<void>
  /**
   * Deletes what it can of a list, as one change (ECR's BatchDeleteImage): an image goes with its last tag. `failures` has the
   * queries of the list that failed, as objects.
   *
   * @throws Refusal `RepositoryNotFound`
   */
  deleteAll(key: RepositoryKey, queries: readonly ImageQuery[], by: string): Promise<DeletionOutcome>
}

export interface DeletionOutcome {
  readonly gone: readonly ImageId[]
  readonly failures: ReadonlyMap<ImageQuery, DeletionFailure>
}

export function createImageDeletion({
  metadata,
  clock,
  announcements = {},
}: {
  metadata: Metadata
  clock: Clock
  announcements?: Partial<Announcements>
}): ImageDeletion {
  function run(
    key: RepositoryKey,
    queries: readonly ImageQuery[],
    lastTag: LastTag,
    by: string,
  ): Promise<DeletionPlan> {
    return metadata.transaction(async (trx) => {
      const repository = await lockRepository(trx, key, 'exclusive')
      const now = clock()
      const plan = planDeletion(await findImages(trx, repository, queries, now), queries, lastTag)
      await carryOut(trx, repository, plan, { by, at: now }, announcements)
      return plan
    })
  }

  return {
    async delete(key, query, by) {
      const { failures } = await run(key, [query], 'leaves image', by)
      const failure = failures.get(query)
      switch (failure?.reason) {
        case undefined:
          return
        case 'not found':
        case 'tag elsewhere':
          throw refuse('ImageNotFound', { ...inRepository(key), query })
        case 'referenced': {
          const { digest, indexes } = failure
          throw refuse('ImageReferencedByIndex', { ...inRepository(key), digest, indexes })
        }
        case 'in use': {
          const { digest, inUseBy } = failure
          throw refuse('ImageInUse', { ...inRepository(key), digest, inUseBy })
        }
      }
    },

    deleteAll: (key, queries, by) => run(key, queries, 'takes image', by),
  }
}

async function findImages(
  trx: Transaction,
  repository: Repository,
  queries: readonly ImageQuery[],
  now: number,
): Promise<HeldImages> {
  const { id } = repository
  const rows = await trx
    .selectFrom('manifest')
    .leftJoin('tag', (join) =>
      join.onRef('tag.repository_id', '=', 'manifest.repository_id').onRef('tag.digest', '=', 'manifest.digest'),
    )
    .select(['manifest.digest', 'tag.tag'])
    .where('manifest.repository_id', '=', id)
    .where((where) => isAsked(where, id, queries))
    .orderBy('tag.tag')
    .execute()
  const found = new Map<Digest, { tags: Tag[]; indexes: Digest[]; inUseBy: Uses }>()
  for (const row of rows) {
    const digest = parseDigest(row.digest)
    const image = found.get(digest) ?? { tags: [], indexes: [], inUseBy: [] }
    if (row.tag !== null) image.tags.push(parseTag(row.tag))
    found.set(digest, image)
  }
  if (found.size === 0) return found

  const references = await trx
    .selectFrom('manifest_reference')
    .select(['parent', 'child'])
    .where('repository_id', '=', id)
    .where('child', 'in', [...found.keys()])
    .where('kind', '=', 'manifest')
    .orderBy('parent')
    .execute()
  for (const { parent, child } of references) found.get(parseDigest(child))?.indexes.push(parseDigest(parent))
  const kept = await findKeptInUse(trx, repository, [...found.keys()], now)
  for (const [digest, image] of found) image.inUseBy = kept.get(digest) ?? []
  return found
}

async function carryOut(
  trx: Transaction,
  repository: Repository,
  { images, tags }: DeletionPlan,
  act: Act,
  announcements: Partial<Announcements>,
): Promise<void> {
  const { tagsMoved = [] } = announcements
  const deletion = { ...act, cause: 'delete' } as const
  await removeImages(trx, repository, images, deletion, announcements)
  if (tags.length === 0) return
  const gone = await trx
    .deleteFrom('tag')
    .where('repository_id', '=', repository.id)
    .where('tag', 'in', tags)
    .returning(['tag', 'digest'])
    .execute()
  const moves = gone.map(({ tag, digest }) => ({ tag: parseTag(tag), from: parseDigest(digest), to: undefined }))
  await recordTagMoves(trx, repository, moves, deletion)
  await countRemoval(trx, repository)
  if (moves.length > 0) await announce(tagsMoved, trx, { repository, moves, ...deletion })
}
