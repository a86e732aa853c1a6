import { setImmediate } from 'node:timers/promises'
import { type Page, pageOf } from '#lib/page.ts'
import { readInSteps, slicesWithin } from '#lib/slices.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type MediaType, parseMediaType } from '#names/media-type.ts'
import type { ImageStatus, ImageStatusFilter } from './image.ts'
import type { Puller } from './puller.ts'
import { getRepository, type RepositoryKey } from './repository.ts'

/** A manifest that names another as its subject (OCI distribution specification, "Listing Referrers"). */
export interface Referrer {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly sizeBytes: number
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>> | undefined
  readonly status: ImageStatus
}

export interface Referrers {
  /**
   * By digest. A subject that is not there has referrers too, or none: that is no error. A page ends early before its annotations
   * pass 3 MiB; those of a referrer that alone have more are left out.
   *
   * @throws Refusal `RepositoryNotFound`
   */
  list(key: RepositoryKey, subject: Digest, request: ReferrerPageRequest, by: Puller): Promise<Page<Referrer, Digest>>
}

export interface ReferrerPageRequest {
  readonly status: ImageStatusFilter
  /** Any, if there are none. */
  readonly artifactTypes?: readonly string[] | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/**
 * A client need not take an index of more than 4 MiB (OCI distribution specification), and a manifest may have nearly as much in
 * annotations alone. What else a page says of its referrers has room in the rest.
 */
const pageLimitBytes = 3 * 1024 * 1024

/** Rows, and bytes of annotations, that are read before other work runs: on SQLite a statement holds the process. */
const rowsAtOnce = 100
const bytesAtOnce = 256 * 1024

export function createReferrers({ metadata }: { metadata: Metadata }): Referrers {
  return {
    async list(key, subject, { status, limit, after, artifactTypes = [] }) {
      const { id } = await getRepository(metadata.reader, key)
      const rows: ReferrerRow[] = []
      const read = (last: ReferrerRow | undefined, count: number) =>
        selectReferrers(metadata.reader, id, subject, last?.digest ?? after)
          .limit(count)
          .execute()
      for await (const some of readInSteps(rowsAtOnce, read)) {
        rows.push(...some.filter((row) => isWanted(row, status, artifactTypes)))
        if (rows.length > limit) break
      }
      // Sizes first, so that no more is ever loaded than a page takes.
      const page = pageOf(rows, Math.min(limit, countThatFit(rows)), ({ digest }) => parseDigest(digest))
      const items: Referrer[] = []
      for (const [at, slice] of slicesWithin(page.items, bytesAtOnce, shownBytes).entries()) {
        if (at > 0) await setImmediate()
        const annotations = await readAnnotations(metadata.reader, id, slice)
        // Another request deleted a referrer that has lost its annotations.
        const there = slice.filter((row) => shownBytes(row) === 0 || annotations.has(row.digest))
        items.push(...there.map((row) => referrerOf(row, annotations.get(row.digest))))
      }
      return { ...page, items }
    },
  }
}

type ReferrerRow = Awaited<ReturnType<ReturnType<typeof selectReferrers>['execute']>>[number]

/** By digest. The lengths are in the row's head, so that SQLite reads no content. */
function selectReferrers(reader: Reader, repositoryId: number, subject: Digest, after: string | undefined) {
  return reader
    .selectFrom('manifest')
    .innerJoin('manifest_content as content', (join) =>
      join
        .onRef('content.repository_id', '=', 'manifest.repository_id')
        .onRef('content.digest', '=', 'manifest.digest'),
    )
    .select(['manifest.digest', 'manifest.media_type', 'manifest.artifact_type', 'manifest.status'])
    .select(({ fn }) => [
      fn<number>('length', ['content.body']).as('size'),
      fn<number | null>('octet_length', ['content.annotations']).as('annotation_bytes'),
    ])
    .where('manifest.repository_id', '=', repositoryId)
    .where('manifest.subject', '=', subject)
    .$if(after !== undefined, (query) => query.where('manifest.digest', '>', after ?? ''))
    .orderBy('manifest.digest')
}

function isWanted(
  row: Pick<ReferrerRow, 'status' | 'artifact_type'>,
  status: ImageStatusFilter,
  artifactTypes: readonly string[],
): boolean {
  if (status !== 'ANY' && status !== row.status) return false
  if (artifactTypes.length === 0) return true
  const own = row.artifact_type?.toLowerCase()
  return artifactTypes.some((wanted) => wanted.toLowerCase() === own)
}

/** Bytes of annotations that a page shows of this referrer: all of them or none. */
function shownBytes({ annotation_bytes: bytes }: Pick<ReferrerRow, 'annotation_bytes'>): number {
  return bytes !== null && bytes <= pageLimitBytes ? bytes : 0
}

/** How many of them a page takes, at least one. */
function countThatFit(rows: readonly ReferrerRow[]): number {
  let sum = 0
  const first = rows.findIndex((row) => {
    sum += shownBytes(row)
    return sum > pageLimitBytes
  })
  return first === -1 ? rows.length : first
}

/** By digest. */
async function readAnnotations(
  reader: Reader,
  repositoryId: number,
  rows: readonly ReferrerRow[],
): Promise<ReadonlyMap<string, string | null>> {
  const digests = rows.filter((row) => shownBytes(row) > 0).map(({ digest }) => digest)
  // PostgreSQL has no empty list.
  if (digests.length === 0) return new Map()
  const found = await reader
    .selectFrom('manifest_content')
    .select(['digest', 'annotations'])
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute()
  return new Map(found.map(({ digest, annotations }) => [digest, annotations]))
}

function referrerOf(row: ReferrerRow, annotations: string | null = null): Referrer {
  return {
    digest: parseDigest(row.digest),
    mediaType: parseMediaType(row.media_type),
    sizeBytes: row.size,
    artifactType: row.artifact_type ?? undefined,
    // Written by this room alone.
    status: row.status as ImageStatus,
    // Parsed as an object of strings when the manifest was stored.
    annotations: annotations === null ? undefined : (JSON.parse(annotations) as Record<string, string>),
  }
}
