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
  const images = await findAllBelow(reader, repository.id, digests)
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
    .where('reference.parent', 'in', images)
    .where('reference.kind', 'not in', ['manifest', 'foreign'])
    .where('counted.digest', 'is', null)
    .execute()
  const sizes = new Map(rows.map(({ digest, size }) => [parseDigest(digest), size]))
  if (sizes.size === 0) return []
  const missing = await destination.missingBlobs(repository, [...sizes.keys()], { signal })
  return [...missing].map((digest) => ({ digest, sizeBytes: sizes.get(digest) ?? 0 }))
}

/** A chain of more subjects or indexes is none that a client makes. */
const mostLevels = 10

/** These images and what is sent before them: their children, their subjects, and what these need. */
async function findAllBelow(
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<readonly string[]> {
  const found = new Set<string>(digests)
  let next: readonly string[] = digests
  for (let level = 0; level < mostLevels && next.length > 0; level++) {
    const children = await reader
      .selectFrom('manifest_reference')
      .select('child as digest')
      .where('repository_id', '=', repositoryId)
      .where('parent', 'in', next)
      .where('kind', '=', 'manifest')
      .execute()
    const subjects = await reader
      .selectFrom('manifest')
      .select('subject as digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', next)
      .where('subject', 'is not', null)
      .execute()
    const below = [...children, ...subjects].flatMap(({ digest }) => digest ?? [])
    next = [...new Set(below)].filter((digest) => !found.has(digest))
    for (const digest of next) found.add(digest)
  }
  return [...found]
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
