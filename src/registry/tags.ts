import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { getRepository, type RepositoryKey } from './repository.ts'

export interface Tags {
  /** Those of images that can be pulled, in lexical order, `after` a tag that need not exist. @throws Refusal `RepositoryNotFound` */
  list(key: RepositoryKey, page: { limit: number; after?: string | undefined }): Promise<Page<Tag, Tag>>
}

export function createTags({ metadata }: { metadata: Metadata }): Tags {
  return {
    async list(key, { limit, after }) {
      const { id } = await getRepository(metadata.reader, key)
      const rows = await metadata.reader
        .selectFrom('tag')
        .innerJoin('manifest', (join) =>
          join.onRef('manifest.repository_id', '=', 'tag.repository_id').onRef('manifest.digest', '=', 'tag.digest'),
        )
        .select('tag.tag')
        .where('tag.repository_id', '=', id)
        .where('manifest.status', '=', 'ACTIVE')
        .$if(after !== undefined, (query) => query.where('tag.tag', '>', after ?? ''))
        .orderBy('tag.tag')
        .limit(limit + 1)
        .execute()
      return pageOf(
        rows.map(({ tag }) => parseTag(tag)),
        limit,
        (tag) => tag,
      )
    },
  }
}
