import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { inParts } from './copying/parts.ts'

/**
 * What a repository had and deleted by itself. Another registry that replicates to it does not bring that back by itself. An eviction from
 * a cache is no deletion.
 */

/** Of these images, which the repository does not have: those that its recycle bin, its replicas or the history of its tags name. */
export async function findDeletedImages(
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  const rows = await inParts(digests, (some) =>
    reader
      .selectFrom('deleted_image')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .union((eb) =>
        eb.selectFrom('replica').select('digest').where('repository_id', '=', repositoryId).where('digest', 'in', some),
      )
      .union((eb) =>
        eb
          .selectFrom('tag_move')
          .select(({ ref }) => ref('from_digest').$notNull().as('digest'))
          .where('repository_id', '=', repositoryId)
          .where('from_digest', 'in', some)
          .where('cause', '!=', 'cache'),
      )
      .execute(),
  )
  return new Set(rows.map(({ digest }) => parseDigest(digest)))
}

/** Of these tags, which the repository does not have: those that it had last. */
export async function findDeletedTags(
  reader: Reader,
  repositoryId: number,
  tags: readonly Tag[],
): Promise<ReadonlySet<Tag>> {
  const rows = await inParts(tags, (some) =>
    reader
      .selectFrom('tag_move')
      .select('tag')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('tag_move')
          .select(({ fn }) => fn.max('id').as('id'))
          .where('repository_id', '=', repositoryId)
          .where('tag', 'in', some)
          .groupBy('tag'),
      )
      .where('to_digest', 'is', null)
      .where('cause', '!=', 'cache')
      .execute(),
  )
  return new Set(rows.map(({ tag }) => parseTag(tag)))
}
