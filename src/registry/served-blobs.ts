import type { BlobStore } from '#blobs/store.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'

/** Of these blobs, those that the repository links and that are not in quarantine, with their sizes. */
export function selectServed(reader: Reader, repositoryId: number, digests: readonly Digest[]) {
  return reader
    .selectFrom('repository_blob')
    .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
    .select(['blob.digest', 'blob.size'])
    .where('repository_blob.repository_id', '=', repositoryId)
    .where('repository_blob.digest', 'in', [...digests])
    .where('blob.quarantined_at', 'is', null)
}

/** Of these blobs, those that whoever asked the repository for them just now was served. */
export async function findServed(
  { reader, blobs }: { readonly reader: Reader; readonly blobs: BlobStore },
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  const served = new Set<Digest>()
  for (const row of await selectServed(reader, repositoryId, digests).execute()) {
    const digest = parseDigest(row.digest)
    if ((await blobs.stat(digest))?.sizeBytes === row.size) served.add(digest)
  }
  return served
}
