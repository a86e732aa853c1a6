import type { Reader, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Destination, SignalOption } from '#replication/destination.ts'
import type { Run } from './run.ts'
import type { SourcePage } from './source-page.ts'

/** A blob that a copy would send. */
export interface MissingBlob {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** Of the blobs of these images those that the destination lacks, without those that the run has counted. @throws RemoteFailure */
export async function findMissingBlobs(
  reader: Reader,
  {
    run,
    page: { repository },
    destination,
    digests,
    signal,
  }: { run: Run; page: SourcePage; destination: Destination; digests: readonly Digest[] } & SignalOption,
): Promise<readonly MissingBlob[]> {
  if (digests.length === 0) return []
  const rows = await reader
    .selectFrom('manifest_reference as reference')
    .innerJoin('blob', 'blob.digest', 'reference.child')
    .innerJoin('repository_blob as link', (join) =>
      join.onRef('link.repository_id', '=', 'reference.repository_id').onRef('link.digest', '=', 'reference.child'),
    )
    .leftJoin('replication_run_blob as counted', (join) =>
      join.on('counted.run_id', '=', run.id).onRef('counted.digest', '=', 'reference.child'),
    )
    .select(['blob.digest', 'blob.size'])
    .distinct()
    .where('reference.repository_id', '=', repository.id)
    .where('reference.parent', 'in', [...digests])
    .where('reference.kind', '!=', 'manifest')
    .where('counted.digest', 'is', null)
    .execute()
  const sizes = new Map(rows.map(({ digest, size }) => [parseDigest(digest), size]))
  if (sizes.size === 0) return []
  const missing = await destination.missingBlobs(repository.name, [...sizes.keys()], { signal })
  return [...missing].map((digest) => ({ digest, sizeBytes: sizes.get(digest) ?? 0 }))
}

/** Each blob counts once in a run, however many images have it. */
export async function addMissingBlobs(
  trx: Transaction,
  { id }: Pick<Run, 'id'>,
  blobs: readonly MissingBlob[],
): Promise<void> {
  for (const { digest, sizeBytes } of blobs) {
    await trx
      .insertInto('replication_run_blob')
      .values({ run_id: id, digest, size: sizeBytes })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

export async function sumMissingBlobs(reader: Reader, { id }: Pick<Run, 'id'>): Promise<number> {
  const { size } = await reader
    .selectFrom('replication_run_blob')
    .select(({ fn }) => fn.sum<number | null>('size').as('size'))
    .where('run_id', '=', id)
    .executeTakeFirstOrThrow()
  return Number(size ?? 0)
}
