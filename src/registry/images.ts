import type { Metadata, Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type MediaType, parseMediaType } from '#names/media-type.ts'
import type { Reference } from '#names/reference.ts'
import type { ImageStatus, ManifestHead, StoredManifest } from './image.ts'
import type { Puller } from './puller.ts'
import type { Pulls } from './pulls.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, type RepositoryKey } from './repository.ts'

/** Fetching manifests. A pull is one compiled query, flat on purpose: `bench` figure "manifest GET by tag". */
export interface Images {
  /** The manifest for a pull, which is recorded as one `by` that user or role. @throws Refusal `RepositoryNotFound`, `ImageNotFound`, `ImageArchived` */
  pull(key: RepositoryKey, reference: Reference, by: Puller): Promise<StoredManifest>
  /** No pull. @throws Refusal `RepositoryNotFound`, `ImageNotFound`, `ImageArchived` */
  head(key: RepositoryKey, reference: Reference, by: Puller): Promise<ManifestHead>
  /** Where a tag points, or the digest itself if it is there, be it archived. @throws Refusal `RepositoryNotFound` */
  resolve(key: RepositoryKey, reference: Reference): Promise<Digest | undefined>
  /** What is here, also in the archive, and also without a repository: then nothing is. No upstream is asked. */
  find(key: RepositoryKey, reference: Reference): Promise<FoundImage | undefined>
}

export interface FoundImage extends ManifestHead {
  readonly status: ImageStatus
}

type ByTag = { account: string; region: string; name: string; tag: string }
type ByDigest = { account: string; region: string; name: string; digest: string }

interface ManifestRow {
  readonly repository_id: number
  readonly digest: string
  readonly media_type: string
  readonly status: string
  readonly body: Uint8Array
}

interface HeadRow {
  readonly digest: string
  readonly media_type: string
  readonly status: string
  readonly size: number
}

export function createImages({ metadata, pulls }: { metadata: Metadata; pulls: Pulls }): Images {
  const headColumns = ['manifest.digest', 'manifest.media_type', 'manifest.status'] as const
  const manifestColumns = [...headColumns, 'manifest.repository_id', 'manifest_content.body'] as const
  const manifestByTag = metadata.prepare<ByTag, ManifestRow>((db, p) =>
    selectByTag(db, p('account'), p('region'), p('name'), p('tag')).select(manifestColumns),
  )
  const manifestByDigest = metadata.prepare<ByDigest, ManifestRow>((db, p) =>
    selectByDigest(db, p('account'), p('region'), p('name'), p('digest')).select(manifestColumns),
  )
  const headByTag = metadata.prepare<ByTag, HeadRow>((db, p) =>
    selectByTag(db, p('account'), p('region'), p('name'), p('tag')).select([...headColumns, bodySize(db)]),
  )
  const headByDigest = metadata.prepare<ByDigest, HeadRow>((db, p) =>
    selectByDigest(db, p('account'), p('region'), p('name'), p('digest')).select([...headColumns, bodySize(db)]),
  )

  async function readHead({ registry, name }: RepositoryKey, reference: Reference): Promise<HeadRow | undefined> {
    const { account, region } = registry
    const { tag, digest } = reference
    const [row] =
      tag === undefined
        ? await headByDigest({ account, region, name, digest })
        : await headByTag({ account, region, name, tag })
    return row
  }

  async function findHead(key: RepositoryKey, reference: Reference): Promise<HeadRow | undefined> {
    const row = await readHead(key, reference)
    // Only a miss asks whether it was the repository that is missing.
    if (row === undefined) await getRepository(metadata.reader, key)
    return row
  }

  function requireActive(row: { digest: string; status: string }, key: RepositoryKey, query: Reference): void {
    if (row.status === 'ACTIVE') return
    throw refuse('ImageArchived', { ...inRepository(key), query, digest: parseDigest(row.digest) })
  }

  return {
    async pull(key, reference, by) {
      const { account, region } = key.registry
      const { name } = key
      const { tag, digest } = reference
      const [row] =
        tag === undefined
          ? await manifestByDigest({ account, region, name, digest })
          : await manifestByTag({ account, region, name, tag })
      if (row === undefined) {
        await getRepository(metadata.reader, key)
        throw refuse('ImageNotFound', { ...inRepository(key), query: reference })
      }
      requireActive(row, key, reference)
      // Both were parsed when they were stored; a pull does not parse them again.
      const manifest = { digest: row.digest as Digest, mediaType: row.media_type as MediaType, body: row.body }
      pulls.record(row.repository_id, manifest.digest, by.identityArn)
      return manifest
    },

    async head(key, reference) {
      const row = await findHead(key, reference)
      if (row === undefined) throw refuse('ImageNotFound', { ...inRepository(key), query: reference })
      requireActive(row, key, reference)
      return headOf(row)
    },

    async find(key, reference) {
      const row = await readHead(key, reference)
      // The column has no other values.
      return row && { ...headOf(row), status: row.status as ImageStatus }
    },

    async resolve(key, reference) {
      const row = await findHead(key, reference)
      return row && parseDigest(row.digest)
    },
  }
}

function headOf({ digest, media_type: mediaType, size: sizeBytes }: HeadRow): ManifestHead {
  return { digest: parseDigest(digest), mediaType: parseMediaType(mediaType), sizeBytes }
}

function selectByTag(db: Reader, account: string, region: string, name: string, tag: string) {
  return db
    .selectFrom('repository')
    .innerJoin('tag', 'tag.repository_id', 'repository.id')
    .innerJoin('manifest', (join) =>
      join.onRef('manifest.repository_id', '=', 'repository.id').onRef('manifest.digest', '=', 'tag.digest'),
    )
    .innerJoin('manifest_content', (join) =>
      join
        .onRef('manifest_content.repository_id', '=', 'repository.id')
        .onRef('manifest_content.digest', '=', 'tag.digest'),
    )
    .where('repository.account', '=', account)
    .where('repository.region', '=', region)
    .where('repository.name', '=', name)
    .where('tag.tag', '=', tag)
}

function selectByDigest(db: Reader, account: string, region: string, name: string, digest: string) {
  return db
    .selectFrom('repository')
    .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
    .innerJoin('manifest_content', 'manifest_content.repository_id', 'repository.id')
    .where('repository.account', '=', account)
    .where('repository.region', '=', region)
    .where('repository.name', '=', name)
    .where('manifest.digest', '=', digest)
    .where('manifest_content.digest', '=', digest)
}

/** Both databases call it `length` and count bytes. */
function bodySize(db: Reader) {
  return db.fn<number>('length', ['manifest_content.body']).as('size')
}
