import { refusals } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'

/** What a blob store declines. */
export interface BlobRefusals {
  /** The content hashes to `computed`, in the algorithm of the first digest expected. */
  DigestMismatch: { expected: readonly Digest[]; computed: Digest }
  /** More than `limit` bytes came where so many were announced. */
  BodyTooLong: { limit: number }
  /** A newer request continues this upload. */
  DraftTakenOver: { id: string }
}

export const refuseBlob = refusals<BlobRefusals>()
