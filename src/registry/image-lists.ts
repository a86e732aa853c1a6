import assert from 'node:assert/strict'
import type { Selectable, SelectQueryBuilder } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { ManifestTable } from '#metadata/schema/registry.ts'
import type { Schema } from '#metadata/schema.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseMediaType } from '#names/media-type.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import type { ImageDetail, ImageId, ImageQuery, ImageStatus, ImageStatusFilter, TagStatus } from './image.ts'
import { isAsked } from './image-query.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, type RepositoryKey } from './repository.ts'

/** Listing and describing images. Pages go by key, so that what is pushed or deleted meanwhile repeats or hides nothing else. */
export interface ImageLists {
  /** One entry a tag and one an untagged image, by digest and tag. @throws Refusal `RepositoryNotFound` */
  list(key: RepositoryKey, request: ImagePageRequest): Promise<Page<ImageId, ImageId>>
  /** One entry an image, by digest. A page of very many tags ends early. @throws Refusal `RepositoryNotFound` */
  describe(key: RepositoryKey, request: ImagePageRequest): Promise<Page<ImageDetail, Digest>>
  /** @throws Refusal `RepositoryNotFound`, `ImageNotFound` */
  get(key: RepositoryKey, query: ImageQuery): Promise<ImageDetail>
  /** Each image asked for, once. @throws Refusal `RepositoryNotFound`, `ImageNotFound` for the first that is missing */
  describeAll(key: RepositoryKey, queries: readonly ImageQuery[]): Promise<ImageDetail[]>
}

export interface ImagePageRequest {
  readonly tagStatus: TagStatus
  readonly status: ImageStatusFilter
  readonly limit: number
  readonly after?: { readonly digest: string; readonly tag?: string | undefined } | undefined
}

export function createImageLists({ metadata }: { metadata: Metadata }): ImageLists {
  const { reader } = metadata
  return {
    async list(key, { tagStatus, status, limit, after }) {
      const { id } = await getRepository(reader, key)
      const rows = await selectImages(reader, id, { tagStatus, status })
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

    async describe(key, { tagStatus, status, limit, after }) {
      const { id } = await getRepository(reader, key)
      const page = selectImages(reader, id, { tagStatus, status })
        .select(detailColumns)
        .$if(after !== undefined, (query) => query.where('manifest.digest', '>', after?.digest ?? ''))
        .orderBy('manifest.digest')
        .limit(limit + 1)
      const images = await describeImages(reader, page, mostTags)
      const last = images.at(-1)
      if (last === undefined || countTags(images) < mostTags) return pageOf(images, limit, ({ digest }) => digest)
      // The last one may have more tags than were read: it comes with the next page, or whole if it is alone.
      const items = images.length > 1 ? images.slice(0, -1) : await describeAll(reader, key, [{ digest: last.digest }])
      return { items, next: items.at(-1)?.digest ?? last.digest }
    },

    get: (key, query) => getImage(reader, key, query),

    describeAll: (key, queries) => describeAll(reader, key, queries),
  }
}

/** @throws Refusal `RepositoryNotFound`, `ImageNotFound` */
export async function getImage(reader: Reader, key: RepositoryKey, query: ImageQuery): Promise<ImageDetail> {
  const [image] = await describeAll(reader, key, [query])
  assert(image !== undefined)
  return image
}

async function describeAll(reader: Reader, key: RepositoryKey, queries: readonly ImageQuery[]): Promise<ImageDetail[]> {
  const { id } = await getRepository(reader, key)
  const asked = selectImages(reader, id, { tagStatus: 'ANY', status: 'ANY' })
    .select(detailColumns)
    .where((where) => isAsked(where, id, queries))
  const images = await describeImages(reader, asked)
  const byDigest = new Map(images.map((image) => [image.digest, image]))
  const byTag = new Map(images.flatMap((image) => image.tags.map((tag) => [tag, image])))
  for (const query of queries) {
    const image = query.tag === undefined ? query.digest && byDigest.get(query.digest) : byTag.get(query.tag)
    if (image === undefined || (query.digest !== undefined && query.digest !== image.digest)) {
      throw refuse('ImageNotFound', { ...inRepository(key), query })
    }
  }
  return images
}

/** In one page: a thousand images of a thousand tags each would hold the process for seconds. */
const mostTags = 10_000

/** As rows, of which an untagged image has one too. */
function countTags(images: readonly ImageDetail[]): number {
  return images.reduce((sum, { tags }) => sum + Math.max(tags.length, 1), 0)
}

const detailColumns = [
  'manifest.digest',
  'manifest.media_type',
  'manifest.artifact_type',
  'manifest.subject',
  'manifest.image_size',
  'manifest.pushed_at',
  'manifest.pulled_at',
  'manifest.status',
  'manifest.archived_at',
  'manifest.activated_at',
] as const

type DetailRow = Omit<Selectable<ManifestTable>, 'repository_id' | 'body' | 'annotations'>

function selectImages(
  reader: Reader,
  repositoryId: number,
  { tagStatus, status }: Pick<ImagePageRequest, 'tagStatus' | 'status'>,
) {
  const images = reader
    .selectFrom('manifest')
    .where('manifest.repository_id', '=', repositoryId)
    .$if(status !== 'ANY', (query) => query.where('manifest.status', '=', status))
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

/**
 * Those images with their tags, by digest. One statement sees them both as they were at one time: of two, the second could find
 * that an image which was chosen for its tags has none.
 */
async function describeImages(
  reader: Reader,
  images: SelectQueryBuilder<Schema, 'manifest', DetailRow>,
  mostRows?: number,
) {
  const rows = await reader
    .selectFrom(images.select('manifest.repository_id').as('image'))
    .leftJoin('tag', (join) =>
      join.onRef('tag.repository_id', '=', 'image.repository_id').onRef('tag.digest', '=', 'image.digest'),
    )
    .selectAll('image')
    .select('tag.tag')
    .orderBy('image.digest')
    .orderBy('tag.tag')
    .$if(mostRows !== undefined, (query) => query.limit(mostRows ?? 0))
    .execute()
  const details = new Map<string, ImageDetail & { readonly tags: Tag[] }>()
  for (const row of rows) {
    const image = details.get(row.digest) ?? { ...detailOf(row), tags: [] }
    if (row.tag !== null) image.tags.push(parseTag(row.tag))
    details.set(row.digest, image)
  }
  return [...details.values()]
}

function detailOf(row: DetailRow): Omit<ImageDetail, 'tags'> {
  return {
    digest: parseDigest(row.digest),
    mediaType: parseMediaType(row.media_type),
    artifactType: row.artifact_type ?? undefined,
    subject: row.subject === null ? undefined : parseDigest(row.subject),
    sizeBytes: row.image_size,
    pushedAt: row.pushed_at,
    pulledAt: row.pulled_at ?? undefined,
    // Written by this room alone.
    status: row.status as ImageStatus,
    archivedAt: row.archived_at ?? undefined,
    activatedAt: row.activated_at ?? undefined,
  }
}
