import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import {
  type DeletionFailure,
  type DeletionPlan,
  type HeldImages,
  type LastTag,
  planDeletion,
} from './deletion-plan.ts'
import type { ImageId, ImageQuery } from './image.ts'
import { isAsked } from './image-query.ts'
import { refuse } from './refusals.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'

/** Deleting images. Blobs stay linked until garbage is collected. */
export interface ImageDeletion {
  /**
   * Deletes by digest the image with all its tags, by tag that tag, which leaves its image (OCI).
   *
   * @throws Refusal `RepositoryNotFound`, `ImageNotFound`, `ImageReferencedByIndex`
   */
  delete(key: RepositoryKey, query: ImageQuery): Promise<void>
  /**
   * Deletes what it can of a list, as one change (ECR's BatchDeleteImage): an image goes with its last tag. `failures` has the
   * queries of the list that failed, as objects.
   *
   * @throws Refusal `RepositoryNotFound`
   */
  deleteAll(key: RepositoryKey, queries: readonly ImageQuery[]): Promise<DeletionOutcome>
}

export interface DeletionOutcome {
  readonly gone: readonly ImageId[]
  readonly failures: ReadonlyMap<ImageQuery, DeletionFailure>
}

export function createImageDeletion({ metadata }: { metadata: Metadata }): ImageDeletion {
  function run(key: RepositoryKey, queries: readonly ImageQuery[], lastTag: LastTag): Promise<DeletionPlan> {
    return metadata.transaction(async (trx) => {
      const repository = await lockRepository(trx, key, 'exclusive')
      const plan = planDeletion(await findImages(trx, repository, queries), queries, lastTag)
      await carryOut(trx, repository, plan)
      return plan
    })
  }

  return {
    async delete(key, query) {
      const { failures } = await run(key, [query], 'leaves image')
      const failure = failures.get(query)
      if (failure === undefined) return
      if (failure.reason !== 'referenced') throw refuse('ImageNotFound', { ...inRepository(key), query })
      const { digest, indexes } = failure
      throw refuse('ImageReferencedByIndex', { ...inRepository(key), digest, indexes })
    },

    deleteAll: (key, queries) => run(key, queries, 'takes image'),
  }
}

async function findImages(trx: Transaction, { id }: Repository, queries: readonly ImageQuery[]): Promise<HeldImages> {
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
  const found = new Map<Digest, { tags: Tag[]; indexes: Digest[] }>()
  for (const row of rows) {
    const digest = parseDigest(row.digest)
    const image = found.get(digest) ?? { tags: [], indexes: [] }
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
  return found
}

/** In the order in which rows refer to one another. */
async function carryOut(trx: Transaction, { id }: Repository, { images, tags }: DeletionPlan): Promise<void> {
  if (tags.length > 0) await trx.deleteFrom('tag').where('repository_id', '=', id).where('tag', 'in', tags).execute()
  if (images.length === 0) return
  await trx.deleteFrom('tag').where('repository_id', '=', id).where('digest', 'in', images).execute()
  await trx.deleteFrom('manifest_reference').where('repository_id', '=', id).where('parent', 'in', images).execute()
  await trx.deleteFrom('manifest').where('repository_id', '=', id).where('digest', 'in', images).execute()
}
