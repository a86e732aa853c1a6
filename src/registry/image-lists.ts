import type { Selectable } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { ManifestTable } from '#metadata/schema/registry.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseMediaType } from '#names/media-type.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import type { ImageDetail, ImageId, ImageQuery, TagStatus } from './image.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, type RepositoryKey } from './repository.ts'

/** Listing and describing images. Pages go by key, so that what is pushed or deleted meanwhile repeats or hides nothing else. */
export interface ImageLists {
  /** One entry a tag and one an untagged image, by digest and tag. @throws Refusal `RepositoryNotFound` */
  list(key: RepositoryKey, request: ImagePageRequest): Promise<Page<ImageId, ImageId>>
  /** One entry an image, by digest. @throws Refusal `RepositoryNotFound` */
  describe(key: RepositoryKey, request: ImagePageRequest): Promise<Page<ImageDetail, Digest>>
  /** Each image asked for, once. @throws Refusal `RepositoryNotFound`, `ImageNotFound` for the first that is missing */
  describeAll(key: RepositoryKey, queries: readonly ImageQuery[]): Promise<ImageDetail[]>
}

export interface ImagePageRequest {
  readonly tagStatus: TagStatus
  readonly limit: number
  readonly after?: { readonly digest: string; readonly tag?: string | undefined } | undefined
}

export function createImageLists({ metadata }: { metadata: Metadata }): ImageLists {
  const { reader } = metadata
  return {
    async list(key, { tagStatus, limit, after }) {
      const { id } = await getRepository(reader, key)
      const rows = await selectImages(reader, id, tagStatus)
        .leftJoin('tag', (join) =>
          join.onRef('tag.repository_id', '=', 'manifest.repository_id').onRef('tag.digest', '=', 'manifest.digest'),
        )
        .select(['manifest.digest', 'tag.tag'])
        .$if(after !== undefined, (query) =>
          query
            .where('manifest.digest', '>=', after?.digest ?? '')
            .where((where) =>
              where.or([where('manifest.digest', '>', after?.digest ?? ''), where('tag.tag', '>', after?.tag ?? '')]),
            ),
        )
        .orderBy('manifest.digest')
        .orderBy('tag.tag')
        .limit(limit + 1)
        .execute()
      const ids = rows.map(({ digest, tag }) => ({
        digest: parseDigest(digest),
        tag: tag === null ? undefined : parseTag(tag),
      }))
      return pageOf(ids, limit, (image) => image)
    },

    async describe(key, { tagStatus, limit, after }) {
      const { id } = await getRepository(reader, key)
      const rows = await selectImages(reader, id, tagStatus)
        .select(detailColumns)
        .$if(after !== undefined, (query) => query.where('manifest.digest', '>', after?.digest ?? ''))
        .orderBy('manifest.digest')
        .limit(limit + 1)
        .execute()
      return pageOf(await detailsOf(reader, id, rows), limit, ({ digest }) => digest)
    },

    async describeAll(key, queries) {
      const { id } = await getRepository(reader, key)
      const digests = new Set<Digest>()
      const byTag = await digestsByTag(reader, id, queries)
      for (const query of queries) {
        const tagged = query.tag && byTag.get(query.tag)
        const digest = query.digest ?? tagged
        if (digest === undefined || (query.tag !== undefined && tagged !== digest)) {
          throw refuse('ImageNotFound', { ...inRepository(key), query })
        }
        digests.add(digest)
      }
      const rows = await selectImages(reader, id, 'ANY')
        .select(detailColumns)
        .where('manifest.digest', 'in', [...digests])
        .execute()
      const found = new Set(rows.map(({ digest }) => digest))
      const missing = queries.find(({ digest }) => digest !== undefined && !found.has(digest))
      if (missing !== undefined) throw refuse('ImageNotFound', { ...inRepository(key), query: missing })
      return detailsOf(reader, id, rows)
    },
  }
}

const detailColumns = [
  'manifest.digest',
  'manifest.media_type',
  'manifest.artifact_type',
  'manifest.subject',
  'manifest.image_size',
  'manifest.pushed_at',
  'manifest.pulled_at',
] as const

type DetailRow = Omit<Selectable<ManifestTable>, 'repository_id' | 'body' | 'annotations'>

function selectImages(reader: Reader, repositoryId: number, tagStatus: TagStatus) {
  const images = reader.selectFrom('manifest').where('manifest.repository_id', '=', repositoryId)
  if (tagStatus === 'ANY') return images
  return images.where((where) => {
    const tagged = where.exists(
      where
        .selectFrom('tag as any_tag')
        .select('any_tag.tag')
        .whereRef('any_tag.repository_id', '=', 'manifest.repository_id')
        .whereRef('any_tag.digest', '=', 'manifest.digest'),
    )
    return tagStatus === 'TAGGED' ? tagged : where.not(tagged)
  })
}

async function detailsOf(reader: Reader, repositoryId: number, rows: readonly DetailRow[]): Promise<ImageDetail[]> {
  const tags = await tagsByDigest(
    reader,
    repositoryId,
    rows.map(({ digest }) => digest),
  )
  return rows.map((row) => ({
    digest: parseDigest(row.digest),
    tags: tags.get(row.digest) ?? [],
    mediaType: parseMediaType(row.media_type),
    artifactType: row.artifact_type ?? undefined,
    subject: row.subject === null ? undefined : parseDigest(row.subject),
    sizeBytes: row.image_size,
    pushedAt: row.pushed_at,
    pulledAt: row.pulled_at ?? undefined,
  }))
}

async function tagsByDigest(
  reader: Reader,
  repositoryId: number,
  digests: readonly string[],
): Promise<Map<string, Tag[]>> {
  const tags = new Map<string, Tag[]>(digests.map((digest) => [digest, []]))
  if (digests.length === 0) return tags
  const rows = await reader
    .selectFrom('tag')
    .select(['tag', 'digest'])
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', [...digests])
    .orderBy('tag')
    .execute()
  for (const { tag, digest } of rows) tags.get(digest)?.push(parseTag(tag))
  return tags
}

async function digestsByTag(
  reader: Reader,
  repositoryId: number,
  queries: readonly ImageQuery[],
): Promise<Map<Tag, Digest>> {
  const tags = queries.flatMap(({ tag }) => (tag === undefined ? [] : [tag]))
  if (tags.length === 0) return new Map()
  const rows = await reader
    .selectFrom('tag')
    .select(['tag', 'digest'])
    .where('repository_id', '=', repositoryId)
    .where('tag', 'in', tags)
    .execute()
  return new Map(rows.map(({ tag, digest }) => [parseTag(tag), parseDigest(digest)]))
}
