import type { BlobStore, Draft } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { linkBlob, lockBlob } from './blob-links.ts'
import { lockRepository, type RepositoryKey } from './repository.ts'

export interface StoredBlob {
  readonly digest: Digest
  readonly sizeBytes: number
  /** Whether it is new to the repository. */
  readonly linked: boolean
}

/**
 * Commits the draft, then links the blob in one transaction with `alongside`. A crash between the two leaves content without a row, which
 * is never served. The collector deletes content only while it holds the blob's row. So content that this transaction sees after it locked
 * the row stays. The collector deletes it before only if this process was held up for longer than the grace period.
 *
 * @throws as `Draft.commit`; Refusal `RepositoryNotFound`; `gone` where the content was deleted before its row was locked
 */
export async function storeDraft(
  { metadata, blobs, clock }: { readonly metadata: Metadata; readonly blobs: BlobStore; readonly clock: Clock },
  key: RepositoryKey,
  draft: Draft,
  digests: readonly Digest[],
  {
    gone,
    alongside,
  }: { readonly gone: Refusal; readonly alongside?: ((trx: Transaction) => Promise<void>) | undefined },
): Promise<StoredBlob> {
  const { digest, sizeBytes } = await draft.commit(digests)
  return metadata.transaction(async (trx) => {
    const repository = await lockRepository(trx, key, 'shared')
    await lockBlob(trx, { digest, sizeBytes, now: clock() })
    const stored = await blobs.stat(digest)
    if (stored?.sizeBytes !== sizeBytes) throw gone
    const linked = await linkBlob(trx, repository, digest, clock())
    await alongside?.(trx)
    return { digest, sizeBytes, linked }
  })
}
