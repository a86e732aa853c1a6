/** Marks pushed images as cached, for tests of the pull through cache that need no upstream. */
import type { Metadata } from '#metadata/metadata.ts'

export interface CachedFrom {
  readonly upstreamUrl?: string
  readonly upstreamName?: string
  readonly fetchedAt?: number
}

/** The image and everything that it refers to, and of its tags those that are given. */
export async function markCached(
  metadata: Metadata,
  repository: string,
  digests: readonly string[],
  { upstreamUrl = 'quay.io', upstreamName = 'team/app', fetchedAt = 1_000 }: CachedFrom = {},
): Promise<number> {
  return metadata.transaction(async (trx) => {
    const { id } = await trx
      .selectFrom('repository')
      .select('id')
      .where('name', '=', repository)
      .executeTakeFirstOrThrow()
    for (const digest of digests) {
      await trx
        .insertInto('cached_image')
        .values({
          ...{ repository_id: id, digest, upstream_url: upstreamUrl, upstream_name: upstreamName },
          ...{ fetched_at: fetchedAt, referrers_checked_at: null },
        })
        .execute()
    }
    return id
  })
}

export async function markTagCached(
  metadata: Metadata,
  repositoryId: number,
  tag: string,
  { digest, checkedAt = 2_000 }: { readonly digest: string; readonly checkedAt?: number },
): Promise<void> {
  await metadata.transaction((trx) =>
    trx
      .insertInto('cached_tag')
      .values({ repository_id: repositoryId, tag, digest, over_digest: null, checked_at: checkedAt })
      .execute(),
  )
}
