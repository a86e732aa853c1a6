import { sql } from 'kysely'
import type { Metadata } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type Manifest, parseManifest } from '#registry/manifest.ts'
import { nextOf } from './plan.ts'

/** Images as the source has them, with all that they lead to: subject, children, and what these lead to. */
export interface SourceImages {
  /** `undefined` if the source does not have the image any more, or has archived it. @throws SourceTooLarge */
  read(repositoryId: number, image: Digest): Promise<ReadonlyMap<Digest, SourceManifest> | undefined>
  /** Where a tag points now. */
  findTarget(repositoryId: number, tag: string): Promise<Digest | undefined>
}

export interface SourceManifest extends Pick<Manifest, 'mediaType' | 'blobs' | 'manifests' | 'subject'> {
  readonly body: Uint8Array
}

/** An image leads to more manifests than this process may hold for it. */
export class SourceTooLarge extends Error {
  override readonly name = 'SourceTooLarge'
}

/** Indexes of indexes are rare, and longer chains of subjects are none that a client makes. */
const mostManifests = 10_000
/** Of all manifests of one image: eight of the largest ones, or many thousands of usual ones. */
const mostBytes = 32 * 1024 * 1024
const atOnce = 20

export function createSourceImages({ metadata }: { readonly metadata: Metadata }): SourceImages {
  async function measure(repositoryId: number, digests: readonly Digest[]): Promise<number> {
    const row = await metadata.reader
      .selectFrom('manifest_content')
      .select(sql<number | null>`sum(length(body))`.as('bytes'))
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', [...digests])
      .executeTakeFirst()
    return Number(row?.bytes ?? 0)
  }

  async function readSome(repositoryId: number, digests: readonly Digest[]) {
    const rows = await metadata.reader
      .selectFrom('manifest')
      .innerJoin('manifest_content as content', (join) =>
        join
          .onRef('content.repository_id', '=', 'manifest.repository_id')
          .onRef('content.digest', '=', 'manifest.digest'),
      )
      .select(['manifest.digest', 'manifest.media_type', 'content.body'])
      .where('manifest.repository_id', '=', repositoryId)
      .where('manifest.digest', 'in', [...digests])
      .where('manifest.status', '=', 'ACTIVE')
      .execute()
    return rows.map(({ digest, media_type, body }) => {
      const { mediaType, blobs, manifests, subject } = parseManifest(body, media_type)
      return [parseDigest(digest), { mediaType, blobs, manifests, subject, body }] as const
    })
  }

  return {
    async read(repositoryId, image) {
      const found = new Map<Digest, SourceManifest>()
      const seen = new Set<Digest>([image])
      let bytes = 0
      for (let next: Digest[] = [image]; next.length > 0; ) {
        const some = next.slice(0, atOnce)
        next = next.slice(atOnce)
        bytes += await measure(repositoryId, some)
        if (bytes > mostBytes || found.size > mostManifests) {
          throw new SourceTooLarge('The image leads to more manifests than are sent with one image')
        }
        for (const [digest, manifest] of await readSome(repositoryId, some)) {
          found.set(digest, manifest)
          const further = nextOf(manifest).filter((each) => !seen.has(each))
          for (const each of further) seen.add(each)
          next.push(...further)
        }
      }
      return found.has(image) ? found : undefined
    },

    async findTarget(repositoryId, tag) {
      const row = await metadata.reader
        .selectFrom('tag')
        .select('digest')
        .where('repository_id', '=', repositoryId)
        .where('tag', '=', tag)
        .executeTakeFirst()
      return row && parseDigest(row.digest)
    },
  }
}
