import type { BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { renewLinks } from './collectable.ts'
import { lockRepository, type RepositoryKey } from './repository.ts'
import { selectServed } from './served-blobs.ts'

/**
 * The size of a blob that the repository links, for a client that completes an upload again because it did not receive the answer. The
 * upload is gone by then, perhaps through another process, so only the blob can show that it was completed. The link counts as new:
 * the client may push its manifest only hours later. `undefined` if the repository does not link the blob, or if it is damaged.
 *
 * @throws Refusal `RepositoryNotFound`
 */
export async function findCompleted(
  { metadata, blobs, clock }: { readonly metadata: Metadata; readonly blobs: BlobStore; readonly clock: Clock },
  key: RepositoryKey,
  digest: Digest,
): Promise<number | undefined> {
  const row = await metadata.transaction(async (trx) => {
    const { id } = await lockRepository(trx, key, 'shared')
    await renewLinks(trx, id, [digest], clock())
    return selectServed(trx, id, [digest]).executeTakeFirst()
  })
  const stored = row && (await blobs.stat(digest))
  return stored?.sizeBytes === row?.size ? row?.size : undefined
}
