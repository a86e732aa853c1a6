import { jobKind } from '#jobs/kind.ts'
import { enqueue } from '#jobs/queue.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Removal } from './image-removal.ts'
import type { Repository } from './repository.ts'

/** A subject that went and left referrers: they follow it later (`orphaned-referrers.ts`), if it is not there again by then. */
export interface SubjectGone extends Pick<Removal, 'by'> {
  readonly repositoryId: number
  readonly subject: Digest
}

export const removeReferrers = jobKind<SubjectGone>({
  kind: 'remove-referrers',
  attempts: 8,
  leaseMs: 60_000,
  // Only what was asked for here comes back.
  parse: (document) => document as SubjectGone,
  key: ({ repositoryId, subject }) => `${repositoryId}/${subject}`,
})

/**
 * ECR takes up to a day (user guide, "Lifecycle policies"); meanwhile whoever deleted by mistake can push or restore the subject. A subject
 * that is deleted again within it has the whole of it from then on.
 */
export const followAfterMs = 3_600_000

/** To be called while they are there, by who removes these images. */
export async function noteSubjectsGone(
  trx: Transaction,
  { id }: Repository,
  digests: readonly Digest[],
  { by, at }: Removal,
): Promise<void> {
  const rows = await trx
    .selectFrom('manifest')
    .select('subject')
    .distinct()
    .where('repository_id', '=', id)
    .where('subject', 'in', digests)
    .where('digest', 'not in', digests)
    .orderBy('subject')
    .execute()
  for (const { subject } of rows) {
    if (subject === null) continue
    const gone = { repositoryId: id, subject: parseDigest(subject), by }
    await enqueue(trx, removeReferrers, gone, { at: at + followAfterMs, keep: 'later' })
  }
}

/**
 * The same for a repository that comes back: jobs that were due while it was away found nothing to do. Those whose subject is there
 * again find that out.
 */
export async function noteSubjectsInBin(trx: Transaction, repositoryId: number, now: number): Promise<void> {
  const rows = await trx
    .selectFrom('deleted_image as gone')
    .innerJoin('manifest', (join) =>
      join.onRef('manifest.repository_id', '=', 'gone.repository_id').onRef('manifest.subject', '=', 'gone.digest'),
    )
    .select(['gone.digest', 'gone.deleted_by'])
    .distinct()
    .where('gone.repository_id', '=', repositoryId)
    .orderBy('gone.digest')
    .execute()
  for (const { digest, deleted_by: by } of rows) {
    const gone = { repositoryId, subject: parseDigest(digest), by }
    await enqueue(trx, removeReferrers, gone, { at: now + followAfterMs, keep: 'later' })
  }
}
