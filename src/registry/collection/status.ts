import { findLastJob } from '#jobs/find.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Collected, collectGarbage, sweepStore } from './jobs.ts'
import { isUnneeded } from './links.ts'

/** What waits to be collected, for an operator who wonders where disk space is. Looks at what is noted alone. */
export interface CollectionStatus {
  /** Links that no image needs, whose grace has ended or not. */
  readonly links: Waiting
  /** Content that nothing links any more. */
  readonly blobs: Waiting & { readonly bytes: number }
  /** Whether a backup keeps content from being collected. */
  readonly held: boolean
  /** The last collection that came to its end; `undefined` if there was none for as long as jobs are remembered. */
  readonly last: { readonly at: number; readonly collected: Collected } | undefined
  /** The last look for files that nothing knows of, and why it failed if it did. */
  readonly lastSweep: { readonly at: number; readonly failure: string | undefined } | undefined
}

interface Waiting {
  readonly count: number
  /** Since when the oldest has waited. */
  readonly since: number | undefined
}

export async function readCollectionStatus(reader: Reader, now: number): Promise<CollectionStatus> {
  const links = await reader
    .selectFrom('link_candidate')
    .innerJoin('repository_blob', (join) =>
      join
        .onRef('repository_blob.repository_id', '=', 'link_candidate.repository_id')
        .onRef('repository_blob.digest', '=', 'link_candidate.digest'),
    )
    .select(({ fn }) => [fn.countAll().as('count'), fn.min('link_candidate.since').as('since')])
    .where(isUnneeded)
    .executeTakeFirstOrThrow()
  const blobs = await reader
    .selectFrom('blob_candidate')
    .innerJoin('blob', 'blob.digest', 'blob_candidate.digest')
    .select(({ fn }) => [
      fn.countAll().as('count'),
      fn.min('blob_candidate.since').as('since'),
      fn.sum('blob.size').as('bytes'),
    ])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('repository_blob')
            .select('digest')
            .whereRef('repository_blob.digest', '=', 'blob_candidate.digest'),
        ),
      ),
    )
    .executeTakeFirstOrThrow()
  const hold = await reader
    .selectFrom('collection_hold')
    .select('id')
    .where('expires_at', '>', now)
    .limit(1)
    .executeTakeFirst()
  return {
    links: { count: Number(links.count), since: links.since ?? undefined },
    blobs: { count: Number(blobs.count), since: blobs.since ?? undefined, bytes: Number(blobs.bytes ?? 0) },
    held: hold !== undefined,
    last: await readLast(reader),
    lastSweep: await readLastSweep(reader),
  }
}

async function readLast(reader: Reader): Promise<CollectionStatus['last']> {
  const { kind, key, parse } = collectGarbage
  const job = await findLastJob(reader, { kind, key: key({}), state: 'done' })
  const { collected } = job === undefined ? {} : parse(job.document)
  return job?.finishedAt === undefined || collected === undefined ? undefined : { at: job.finishedAt, collected }
}

async function readLastSweep(reader: Reader): Promise<CollectionStatus['lastSweep']> {
  const { kind, key } = sweepStore
  const [done, failed] = [
    await findLastJob(reader, { kind, key: key({}), state: 'done' }),
    await findLastJob(reader, { kind, key: key({}), state: 'failed' }),
  ]
  const last = (failed?.finishedAt ?? 0) > (done?.finishedAt ?? 0) ? failed : done
  if (last?.finishedAt === undefined) return undefined
  return { at: last.finishedAt, failure: last === failed ? last.lastError : undefined }
}
