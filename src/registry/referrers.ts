import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type MediaType, parseMediaType } from '#names/media-type.ts'
import { getRepository, type RepositoryKey } from './repository.ts'

/** A manifest that names another as its subject (OCI distribution specification, "Listing Referrers"). */
export interface Referrer {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly sizeBytes: number
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>> | undefined
}

export interface Referrers {
  /**
   * By digest. A subject that is not there has referrers too, or none: that is no error.
   *
   * @throws Refusal `RepositoryNotFound`
   */
  list(
    key: RepositoryKey,
    subject: Digest,
    page: { limit: number; after?: string | undefined; artifactTypes?: readonly string[] | undefined },
  ): Promise<Page<Referrer, Digest>>
}

export function createReferrers({ metadata }: { metadata: Metadata }): Referrers {
  return {
    async list(key, subject, { limit, after, artifactTypes = [] }) {
      const { id } = await getRepository(metadata.reader, key)
      const rows = await metadata.reader
        .selectFrom('manifest')
        .select(({ fn }) => [
          'digest',
          'media_type',
          'artifact_type',
          'annotations',
          fn<number>('length', ['body']).as('size'),
        ])
        .where('repository_id', '=', id)
        .where('subject', '=', subject)
        .$if(after !== undefined, (query) => query.where('digest', '>', after ?? ''))
        .$if(artifactTypes.length > 0, (query) => query.where('artifact_type', 'in', [...artifactTypes]))
        .orderBy('digest')
        .limit(limit + 1)
        .execute()
      const referrers = rows.map((row) => ({
        digest: parseDigest(row.digest),
        mediaType: parseMediaType(row.media_type),
        sizeBytes: row.size,
        artifactType: row.artifact_type ?? undefined,
        // Parsed as an object of strings when the manifest was stored.
        annotations: row.annotations === null ? undefined : (JSON.parse(row.annotations) as Record<string, string>),
      }))
      return pageOf(referrers, limit, ({ digest }) => digest)
    },
  }
}
