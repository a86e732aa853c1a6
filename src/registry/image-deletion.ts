import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import type { ImageId, ImageQuery } from './image.ts'
import { refuse } from './refusals.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'

export interface ImageDeletion {
  /**
   * Deletes by digest the image with all its tags, by tag that tag. With `lastTag: 'takes image'` (ECR's BatchDeleteImage) an image
   * goes with its last tag; with `'leaves image'` (OCI) it stays, untagged. Answers what went: one entry a tag, or one
   * without a tag. Blobs stay linked until garbage is collected.
   *
   * @throws Refusal `RepositoryNotFound`, `ImageNotFound`, `ImageReferencedByIndex`
   */
  delete(
    key: RepositoryKey,
    query: ImageQuery,
    options: { lastTag: 'takes image' | 'leaves image' },
  ): Promise<readonly ImageId[]>
}

export function createImageDeletion({ metadata }: { metadata: Metadata }): ImageDeletion {
  return {
    delete: (key, query, { lastTag }) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const digest = await findDigest(trx, repository, query)
        const tags = digest === undefined ? [] : await tagsOf(trx, repository, digest)
        if (digest === undefined || (query.tag !== undefined && !tags.includes(query.tag))) {
          throw refuse('ImageNotFound', { ...inRepository(key), query })
        }
        const { tag } = query
        if (tag === undefined || (tags.length === 1 && lastTag === 'takes image')) {
          await deleteImage(trx, repository, digest)
          return tags.length === 0 ? [{ digest, tag: undefined }] : tags.map((gone) => ({ digest, tag: gone }))
        }
        await trx.deleteFrom('tag').where('repository_id', '=', repository.id).where('tag', '=', tag).execute()
        return [{ digest, tag }]
      }),
  }
}

async function findDigest(
  trx: Transaction,
  { id }: Repository,
  { tag, digest }: ImageQuery,
): Promise<Digest | undefined> {
  const row =
    digest === undefined
      ? await trx
          .selectFrom('tag')
          .select('digest')
          .where('repository_id', '=', id)
          .where('tag', '=', tag ?? '')
          .executeTakeFirst()
      : await trx
          .selectFrom('manifest')
          .select('digest')
          .where('repository_id', '=', id)
          .where('digest', '=', digest)
          .executeTakeFirst()
  return row && parseDigest(row.digest)
}

async function tagsOf(trx: Transaction, { id }: Repository, digest: Digest): Promise<Tag[]> {
  const rows = await trx
    .selectFrom('tag')
    .select('tag')
    .where('repository_id', '=', id)
    .where('digest', '=', digest)
    .orderBy('tag')
    .execute()
  return rows.map(({ tag }) => parseTag(tag))
}

/** Invariant: an index's children are present, so an image that one refers to stays (ECR user guide, "Deleting an image"). */
async function deleteImage(trx: Transaction, repository: Repository, digest: Digest): Promise<void> {
  const parents = await trx
    .selectFrom('manifest_reference')
    .select('parent')
    .where('repository_id', '=', repository.id)
    .where('child', '=', digest)
    .where('kind', '=', 'manifest')
    .orderBy('parent')
    .limit(10)
    .execute()
  if (parents.length > 0) {
    const indexes = parents.map(({ parent }) => parseDigest(parent))
    throw refuse('ImageReferencedByIndex', { ...inRepository(repository), digest, indexes })
  }
  const { id } = repository
  await trx.deleteFrom('tag').where('repository_id', '=', id).where('digest', '=', digest).execute()
  await trx.deleteFrom('manifest_reference').where('repository_id', '=', id).where('parent', '=', digest).execute()
  await trx.deleteFrom('manifest').where('repository_id', '=', id).where('digest', '=', digest).execute()
}
