import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { ImageQuery } from '#registry/image.ts'
import { getImage } from '#registry/image-lists.ts'
import { getRepository, type RepositoryKey } from '#registry/repository.ts'
import { uncheckedAt } from './rule-settings.ts'

/** Where an image came from: a push, or an upstream. Times are milliseconds since the epoch. */
export type ImageOrigin = { readonly digest: Digest; readonly tags: readonly Tag[] } & (
  | { readonly by: 'push'; readonly pushedAt: number }
  | {
      readonly by: 'cache'
      /** The host of the upstream, and the path of the repository there. */
      readonly upstreamUrl: string
      readonly upstreamName: string
      readonly fetchedAt: number
      /** When the upstream last said that the tag, or one of the image's tags, points to the image. */
      readonly checkedAt: number | undefined
    }
)

export interface ImageOrigins {
  /** @throws Refusal `RepositoryNotFound`, `ImageNotFound` */
  describe(key: RepositoryKey, query: ImageQuery): Promise<ImageOrigin>
}

export function createImageOrigins({ metadata: { reader } }: { metadata: Metadata }): ImageOrigins {
  return {
    async describe(key, query) {
      const { digest, tags, pushedAt } = await getImage(reader, key, query)
      const { id } = await getRepository(reader, key)
      const cached = await reader
        .selectFrom('cached_image')
        .selectAll()
        .where('repository_id', '=', id)
        .where('digest', '=', digest)
        .executeTakeFirst()
      if (cached === undefined) return { digest, tags, by: 'push', pushedAt }
      const { checkedAt } = await reader
        .selectFrom('cached_tag')
        .select(({ fn }) => fn.max<number | null>('checked_at').as('checkedAt'))
        .where('repository_id', '=', id)
        .where('digest', '=', digest)
        .$if(query.tag !== undefined, (asked) => asked.where('tag', '=', query.tag ?? ''))
        .executeTakeFirstOrThrow()
      return {
        ...{ digest, tags, by: 'cache', upstreamUrl: cached.upstream_url, upstreamName: cached.upstream_name },
        ...{
          fetchedAt: cached.fetched_at,
          checkedAt: checkedAt === uncheckedAt ? undefined : (checkedAt ?? undefined),
        },
      }
    },
  }
}

/** To be called by transactions that evict copies, or store images that clients pushed: these are cached no more. */
export async function forgetOrigins(trx: Transaction, repositoryId: number, digests: readonly Digest[]): Promise<void> {
  await trx
    .deleteFrom('cached_image')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', [...digests])
    .execute()
}
