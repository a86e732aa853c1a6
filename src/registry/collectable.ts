import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'

/**
 * What garbage collection has to look at: whoever takes away what might have been the last need of a link or a blob notes it, in
 * the same transaction. Collection is thereby proportional to what became garbage, not to what is stored. What is noted may still
 * be needed; the collector asks.
 */

/** The links of the blobs to which these manifests refer, or those in the recycle bin. To be called while their references are there. */
export async function noteLinksOf(
  trx: Transaction,
  references: 'manifest_reference' | 'deleted_image_reference',
  repositoryId: number,
  parents: readonly Digest[],
  since: number,
): Promise<void> {
  if (parents.length === 0) return
  await trx
    .insertInto('link_candidate')
    .columns(['repository_id', 'digest', 'since'])
    .expression((eb) =>
      eb
        .selectFrom(references)
        .select(['repository_id', 'child', sql<number>`cast(${since} as bigint)`.as('since')])
        .distinct()
        .where('repository_id', '=', repositoryId)
        .where('parent', 'in', [...parents])
        .where('kind', '!=', 'manifest')
        .orderBy('child'),
    )
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet({ since }))
    .execute()
}

/** One link that was made, or asked for again: until a manifest refers to it, nothing needs it. */
export async function noteLink(trx: Transaction, repositoryId: number, digest: Digest, since: number): Promise<void> {
  // As text: each push of a blob makes it (benchmark: small blob push).
  await sql`
    insert into link_candidate (repository_id, digest, since) values (${repositoryId}, ${digest}, ${since})
    on conflict (repository_id, digest) do update set since = excluded.since`.execute(trx)
}

const hourMs = 60 * 60_000

/**
 * How old a note may be without being made anew where a client is told that the blob is there, and relies on it. Never much of the grace,
 * which is what is left to the client.
 */
export function renewedAfterMs(gcGraceHours: number): number {
  return Math.min(1, gcGraceHours / 2) * hourMs
}

/** Begins the time anew of those links that are noted, for whoever holds the repository's shared lock. */
export async function renewLinks(
  trx: Transaction,
  repositoryId: number,
  digests: readonly Digest[],
  since: number,
): Promise<void> {
  await trx
    .updateTable('link_candidate')
    .set({ since })
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .where('since', '<', since)
    .execute()
}

/** Blobs that lost a link. In order, so that of two who note the same none waits for the other in a circle. */
export async function noteBlobs(trx: Transaction, digests: readonly Digest[], since: number): Promise<void> {
  if (digests.length === 0) return
  await trx
    .insertInto('blob_candidate')
    .values(digests.toSorted((a, b) => (a < b ? -1 : 1)).map((digest) => ({ digest, since })))
    .onConflict((conflict) => conflict.column('digest').doUpdateSet({ since }))
    .execute()
}
