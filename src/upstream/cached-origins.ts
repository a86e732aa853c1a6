import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { CachedOrigin } from '#registry/image-origin.ts'
import { uncheckedAt } from './rule-settings.ts'

/** Where an image of the cache came from; `undefined` for any other image. The check is that of the tag, or of any of the image's tags. */
export async function findCachedOrigin(
  reader: Reader,
  repositoryId: number,
  { digest, tag }: { readonly digest: Digest; readonly tag?: Tag | undefined },
): Promise<CachedOrigin | undefined> {
  const cached = await reader
    .selectFrom('cached_image')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (cached === undefined) return undefined
  const { checkedAt } = await reader
    .selectFrom('cached_tag')
    .select(({ fn }) => fn.max<number | null>('checked_at').as('checkedAt'))
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .$if(tag !== undefined, (asked) => asked.where('tag', '=', tag ?? ''))
    .executeTakeFirstOrThrow()
  return {
    ...{ upstreamUrl: cached.upstream_url, upstreamName: cached.upstream_name, fetchedAt: cached.fetched_at },
    checkedAt: checkedAt === uncheckedAt ? undefined : (checkedAt ?? undefined),
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
