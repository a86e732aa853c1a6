import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type MediaType, parseMediaType } from '#names/media-type.ts'
import type { ImageStatus, ImageStatusFilter } from './image.ts'
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
  list(key: RepositoryKey, subject: Digest, request: ReferrerPageRequest): Promise<Page<Referrer, Digest>>
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

export function createReferrers({ metadata }: { metadata: Metadata }): Referrers {
  return {
    async list(key, subject, { status, limit, after, artifactTypes = [] }) {
      const { id } = await getRepository(metadata.reader, key)
      // No type of a manifest holds a NUL, and PostgreSQL takes no text with one.
      const types = artifactTypes.filter((type) => !type.includes('\0'))
      if (types.length === 0 && artifactTypes.length > 0) return { items: [] }
      // Sizes first, so that no more is ever loaded than a page takes.
      const found = await metadata.reader
        .selectFrom('manifest')
        .select(({ fn }) => ['digest', fn<number | null>('octet_length', ['annotations']).as('size')])
        .where('repository_id', '=', id)
        .where('subject', '=', subject)
        .$if(status !== 'ANY', (query) => query.where('status', '=', status))
        .$if(after !== undefined, (query) => query.where('digest', '>', after ?? ''))
        .$if(types.length > 0, (query) => query.where('artifact_type', 'in', types))
        .orderBy('digest')
        .limit(limit + 1)
        .execute()
      const page = pageOf(found, Math.min(limit, countThatFit(found)), ({ digest }) => parseDigest(digest))
      if (page.items.length === 0) return { items: [] }
      const rows = await metadata.reader
        .selectFrom('manifest')
        .select(({ fn }) => [
          'digest',
          'media_type',
          'artifact_type',
          'status',
          fn<number>('length', ['body']).as('size'),
        ])
        .select(({ eb, fn, ref }) =>
          eb
            .case()
            .when(fn<number>('octet_length', ['annotations']), '<=', pageLimitBytes)
            .then(ref('annotations'))
            .end()
            .as('annotations'),
        )
        .where('repository_id', '=', id)
        .where(
          'digest',
          'in',
          page.items.map(({ digest }) => digest),
        )
        .orderBy('digest')
        .execute()
      const items = rows.map((row) => ({
        digest: parseDigest(row.digest),
        mediaType: parseMediaType(row.media_type),
        sizeBytes: row.size,
        artifactType: row.artifact_type ?? undefined,
        status: row.status as ImageStatus,
        // Parsed as an object of strings when the manifest was stored.
        annotations: row.annotations === null ? undefined : (JSON.parse(row.annotations) as Record<string, string>),
      }))
      return { ...page, items }
    },
  }
}

/** How many of them a page takes, at least one. */
function countThatFit(found: readonly { readonly size: number | null }[]): number {
  let sum = 0
  const first = found.findIndex(({ size }) => {
    sum += size !== null && size <= pageLimitBytes ? size : 0
    return sum > pageLimitBytes
  })
  return first === -1 ? found.length : first
}
