import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import type { ImageQuery } from './image.ts'
import { getImage } from './image-lists.ts'
import { findReplica } from './replicas.ts'
import { getRepository, type RepositoryKey } from './repository.ts'

/** Where an image came from: a client, another registry that replicated it, or an upstream. Times are milliseconds since the epoch. */
export type ImageOrigin = { readonly digest: Digest; readonly tags: readonly Tag[] } & (
  | { readonly by: 'push'; readonly pushedAt: number }
  | {
      readonly by: 'replication'
      readonly source: Registry
      /** When the source had the push, by the clock there. */
      readonly pushedAt: number
      readonly arrivedAt: number
    }
  | ({ readonly by: 'cache' } & CachedOrigin)
)

/** What the cache knows of an image that it brought. */
export interface CachedOrigin {
  /** The host of the upstream, and the path of the repository there. */
  readonly upstreamUrl: string
  readonly upstreamName: string
  readonly fetchedAt: number
  /** When the upstream last said that the tag, or one of the image's tags, points to the image. */
  readonly checkedAt: number | undefined
}

/** Answers for images that a cache brought, and for no others. */
export type FindCachedOrigin = (
  reader: Reader,
  repositoryId: number,
  image: { readonly digest: Digest; readonly tag?: Tag | undefined },
) => Promise<CachedOrigin | undefined>

export interface ImageOrigins {
  /** @throws Refusal `RepositoryNotFound`, `ImageNotFound` */
  describe(key: RepositoryKey, query: ImageQuery): Promise<ImageOrigin>
}

export function createImageOrigins({
  metadata: { reader },
  findCachedOrigin,
}: {
  metadata: Metadata
  findCachedOrigin: FindCachedOrigin
}): ImageOrigins {
  return {
    async describe(key, query) {
      const { digest, tags, pushedAt } = await getImage(reader, key, query)
      const repository = await getRepository(reader, key)
      const replica = await findReplica(reader, repository, digest)
      if (replica !== undefined) return { ...replica, tags, by: 'replication' }
      const cached = await findCachedOrigin(reader, repository.id, { digest, tag: query.tag })
      if (cached !== undefined) return { ...cached, digest, tags, by: 'cache' }
      return { digest, tags, by: 'push', pushedAt }
    },
  }
}
