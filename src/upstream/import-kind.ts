import { jobKind } from '#jobs/kind.ts'
import { type Digest, parseDigest } from '#names/digest.ts'

/** A manifest that waits for the content that it refers to. */
export interface ImportPayload {
  readonly repositoryId: number
  readonly digest: Digest
}

/** Brings what a pending manifest refers to, and makes an image of it. */
export const importImage = jobKind<ImportPayload>({
  kind: 'import-image',
  attempts: 8,
  leaseMs: 30_000,
  place: 'transfer',
  parse(document) {
    const { repositoryId, digest } = document as { readonly repositoryId: number; readonly digest: string }
    return { repositoryId, digest: parseDigest(digest) }
  },
  key: ({ repositoryId, digest }) => `${repositoryId} ${digest}`,
})
