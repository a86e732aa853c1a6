import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { Selectable, SelectQueryBuilder } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import { readInSteps, slicesWithin } from '#lib/slices.ts'
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

/** Rows, and images, that are read before other work runs: on SQLite a statement holds the process. */
const rowsAtOnce = 1_000
const imagesAtOnce = 250
/** Images that a statement finds by name. */
const queriesAtOnce = 25

/** In one page: a thousand images of a thousand tags each would make an answer of many MiB. */
const mostTags = 10_000

export function createImageLists({ metadata }: { metadata: Metadata }): ImageLists {
  const { reader } = metadata
  return {
    async list(key, { tagStatus, status, limit, after }) {
      const { id } = await getRepository(reader, key)
      const ids: ImageId[] = []
      const read = (last: IdRow | undefined, count: number) =>
        selectIds(reader, id, status, last ?? after)
          .limit(count)
          .execute()
      for await (const rows of readInSteps(tagStatus === 'ANY' ? limit + 1 : rowsAtOnce, read)) {
        const wanted = rows.filter(({ tag }) => hasTagStatus(tagStatus, tag !== null))
        ids.push(
          ...wanted.map(({ digest, tag }) => ({
            digest: parseDigest(digest),
            tag: tag === null ? undefined : parseTag(tag),
          })),
        )
        if (ids.length > limit) break
      }
      return pageOf(ids, limit, (image) => image)
    },

    async describe(key, { tagStatus, status, limit, after }) {
      const { id } = await getRepository(reader, key)
      const images: ImageDetail[] = []
      for (let next = after?.digest; ; await setImmediate()) {
        const count = tagStatus === 'ANY' ? Math.min(limit + 1 - images.length, imagesAtOnce) : imagesAtOnce
        const step = await describeStep(reader, { id, status, after: next, count })
        images.push(...step.images.filter(({ tags }) => hasTagStatus(tagStatus, tags.length > 0)))
        next = step.next
        const fitting = slicesWithin(images, mostTags, countRows)[0]?.length ?? 0
        if (next === undefined || images.length > limit || fitting < images.length) {
          return pageOf(images, Math.min(limit, fitting), ({ digest }) => digest)
        }
      }
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
  const byDigest = new Map<Digest, ImageDetail>()
  const byTag = new Map<Tag, ImageDetail>()
  for (let at = 0; at < queries.length; at += queriesAtOnce) {
    if (at > 0) await setImmediate()
    const asked = selectImages(reader, id, 'ANY')
      .select(detailColumns)
      .where((where) => isAsked(where, id, queries.slice(at, at + queriesAtOnce)))
    for (const image of (await describeImages(reader, asked)).images) {
      byDigest.set(image.digest, image)
      for (const tag of image.tags) byTag.set(tag, image)
    }
  }
  for (const query of queries) {
    const image = query.tag === undefined ? query.digest && byDigest.get(query.digest) : byTag.get(query.tag)
    if (image === undefined || (query.digest !== undefined && query.digest !== image.digest)) {
      throw refuse('ImageNotFound', { ...inRepository(key), query })
    }
  }
  return [...byDigest.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1))
}

/** One for each tag; an untagged image has one too. */
function countRows({ tags }: ImageDetail): number {
  return Math.max(tags.length, 1)
}

function hasTagStatus(wanted: TagStatus, isTagged: boolean): boolean {
  return wanted === 'ANY' || (wanted === 'TAGGED') === isTagged
}

type IdRow = Awaited<ReturnType<ReturnType<typeof selectIds>['execute']>>[number]

/** A row for each tag and for each untagged image, by digest and tag. */
function selectIds(
  reader: Reader,
  repositoryId: number,
  status: ImageStatusFilter,
  after: { readonly digest: string; readonly tag?: string | null | undefined } | undefined,
) {
  return selectImages(reader, repositoryId, status)
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
}

/** At most `count` images after that digest, with all of their tags, and after which one to go on: `undefined` after the last. */
async function describeStep(
  reader: Reader,
  { id, status, after, count }: { id: number; status: ImageStatusFilter; after: string | undefined; count: number },
): Promise<{ readonly images: readonly ImageDetail[]; readonly next: string | undefined }> {
  const selected = selectImages(reader, id, status)
    .select(detailColumns)
    .$if(after !== undefined, (query) => query.where('manifest.digest', '>', after ?? ''))
    .orderBy('manifest.digest')
    .limit(count)
  const { images, isCut } = await describeImages(reader, selected, rowsAtOnce)
  if (!isCut) return { images, next: images.length < count ? undefined : images.at(-1)?.digest }
  // The last one may have more tags than were read.
  if (images.length > 1) return { images: images.slice(0, -1), next: images.at(-2)?.digest }
  const next = images[0]?.digest ?? ''
  const alone = selectImages(reader, id, status).select(detailColumns).where('manifest.digest', '=', next)
  return { images: (await describeImages(reader, alone)).images, next }
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

type DetailRow = Omit<Selectable<ManifestTable>, 'repository_id'>

function selectImages(reader: Reader, repositoryId: number, status: ImageStatusFilter) {
  return reader
    .selectFrom('manifest')
    .where('manifest.repository_id', '=', repositoryId)
    .$if(status !== 'ANY', (query) => query.where('manifest.status', '=', status))
}

/**
 * Those images with their tags, by digest. One statement sees them both as they were at one time: of two, the second could find
 * that an image which was chosen for its tags has none. `isCut` once `mostRows` were read: the last image may have more tags.
 */
async function describeImages(
  reader: Reader,
  images: SelectQueryBuilder<Schema, 'manifest', DetailRow>,
  mostRows?: number,
): Promise<{ readonly images: readonly ImageDetail[]; readonly isCut: boolean }> {
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
  return { images: [...details.values()], isCut: rows.length === mostRows }
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
