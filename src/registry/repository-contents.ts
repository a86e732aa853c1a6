import type { Metadata } from '#metadata/metadata.ts'
import { getRepository, type RepositoryKey } from './repository.ts'

/** How much a repository holds, each content counted once however many images share it. */
export interface RepositoryContents {
  readonly images: number
  /** Of them, those without a tag, and those in the archive. */
  readonly untaggedImages: number
  readonly archivedImages: number
  readonly tags: number
  readonly blobs: number
  /** Bytes of blobs; what other repositories hold too is counted here as well. */
  readonly blobBytes: number
  readonly uploads: number
}

/** @throws Refusal `RepositoryNotFound` */
export async function countContents(
  { reader }: Pick<Metadata, 'reader'>,
  key: RepositoryKey,
): Promise<RepositoryContents> {
  const { id } = await getRepository(reader, key)
  const counts = await reader
    .selectNoFrom((eb) => {
      const manifests = eb
        .selectFrom('manifest')
        .select((of) => of.fn.countAll<number>().as('count'))
        .where('manifest.repository_id', '=', id)
      const links = eb
        .selectFrom('repository_blob as link')
        .innerJoin('blob', 'blob.digest', 'link.digest')
        .where('link.repository_id', '=', id)
      return [
        manifests.as('images'),
        manifests
          .where((where) =>
            where.not(
              where.exists(
                where
                  .selectFrom('tag')
                  .select('tag.tag')
                  .whereRef('tag.repository_id', '=', 'manifest.repository_id')
                  .whereRef('tag.digest', '=', 'manifest.digest'),
              ),
            ),
          )
          .as('untaggedImages'),
        manifests.where('manifest.status', '=', 'ARCHIVED').as('archivedImages'),
        eb
          .selectFrom('tag')
          .select((of) => of.fn.countAll<number>().as('count'))
          .where('tag.repository_id', '=', id)
          .as('tags'),
        links.select((of) => of.fn.countAll<number>().as('count')).as('blobs'),
        links.select((of) => of.fn.sum<number>('blob.size').as('bytes')).as('blobBytes'),
        eb
          .selectFrom('upload')
          .select((of) => of.fn.countAll<number>().as('count'))
          .where('upload.repository_id', '=', id)
          .as('uploads'),
      ]
    })
    .executeTakeFirstOrThrow()
  const { images, untaggedImages, archivedImages, tags, blobs, blobBytes, uploads } = counts
  // A sum over no rows is null, and PostgreSQL gives sums as text.
  return {
    images: Number(images),
    untaggedImages: Number(untaggedImages),
    archivedImages: Number(archivedImages),
    tags: Number(tags),
    blobs: Number(blobs),
    blobBytes: Number(blobBytes),
    uploads: Number(uploads),
  }
}
