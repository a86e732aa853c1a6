import { type Page, pageOf } from '#lib/page.ts'
import { readInSteps } from '#lib/slices.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
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
      const tags: Tag[] = []
      const read = (last: TagRow | undefined, count: number) =>
        selectTags(metadata.reader, id, last?.tag ?? after)
          .limit(count)
          .execute()
      for await (const rows of readInSteps(limit + 1, read)) {
        tags.push(...rows.filter(({ status }) => status === 'ACTIVE').map(({ tag }) => parseTag(tag)))
        if (tags.length > limit) break
      }
      return pageOf(tags, limit, (tag) => tag)
    },
  }
}

type TagRow = Awaited<ReturnType<ReturnType<typeof selectTags>['execute']>>[number]

function selectTags(reader: Reader, repositoryId: number, after: string | undefined) {
  return reader
    .selectFrom('tag')
    .innerJoin('manifest', (join) =>
      join.onRef('manifest.repository_id', '=', 'tag.repository_id').onRef('manifest.digest', '=', 'tag.digest'),
    )
    .select(['tag.tag', 'manifest.status'])
    .where('tag.repository_id', '=', repositoryId)
    .$if(after !== undefined, (query) => query.where('tag.tag', '>', after ?? ''))
    .orderBy('tag.tag')
}
