import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { noteLink } from './collectable.ts'
import { countForeignLayer } from './image-sizes.ts'
import type { Repository } from './repository.ts'
import { countLink } from './storage-usage.ts'

/**
 * Which blobs a repository shows. A link is open, and its blob served to whoever asks, from the push of the blob on until an image that
 * needs it is deleted. From then on it is served only for images that are there, be those that went in the recycle bin or purged, until
 * it is pushed again. Its garbage collection is another matter (`collectable.ts`): whoever pushes need not send it meanwhile.
 */

/** The `linked_at` of a link that is not open. */
export const closed = 0

/**
 * Holds the row of content that was just stored, new or not, until the transaction ends: it is not collected meanwhile. Whatever was
 * wrong with content of that digest before has been healed.
 */
export async function lockBlob(
  trx: Transaction,
  { digest, sizeBytes, now }: { readonly digest: Digest; readonly sizeBytes: number; readonly now: number },
): Promise<void> {
  await trx
    .insertInto('blob')
    .values({ digest, size: sizeBytes, stored_at: now })
    // An update, since PostgreSQL does not lock a row with which it does nothing, and does not see that another is deleting it. The
    // size is another where the row is that of damaged content which nobody knew of.
    .onConflict((conflict) => conflict.column('digest').doUpdateSet({ size: sizeBytes, quarantined_at: null }))
    .execute()
}

/** Makes a stored blob visible in a repository whose lock the transaction holds. False if it was so before. */
export async function linkBlob(
  trx: Transaction,
  { id, registry }: Repository,
  digest: Digest,
  now: number,
): Promise<boolean> {
  const inserted = await trx
    .insertInto('repository_blob')
    .values({ repository_id: id, digest, linked_at: now })
    .onConflict((conflict) => conflict.doNothing())
    // One statement, and as text: each push of a blob makes it (benchmark: small blob push), and Kysely would compile it for 50 µs.
    .returning(
      sql<boolean | number>`exists (
        select 1 from manifest_reference where repository_id = ${id} and child = ${digest} and kind = 'foreign'
      )`.as('foreign'),
    )
    .executeTakeFirst()
  const isNew = inserted !== undefined
  if (inserted?.foreign) await countForeignLayer(trx, id, digest)
  if (isNew) {
    await countLink(trx, registry, digest)
  } else {
    await trx
      .updateTable('repository_blob')
      .set({ linked_at: now })
      .where('repository_id', '=', id)
      .where('digest', '=', digest)
      .where('linked_at', '=', closed)
      .execute()
  }
  await noteLink(trx, id, digest, now)
  return isNew
}

/** Of what images need that are about to go, for whoever holds the repository's exclusive lock. While their references are there. */
export async function closeLinksOf(trx: Transaction, repositoryId: number, parents: readonly Digest[]): Promise<void> {
  await trx
    .updateTable('repository_blob')
    .set({ linked_at: closed })
    .where('repository_id', '=', repositoryId)
    .where('linked_at', '!=', closed)
    .where('digest', 'in', ({ selectFrom }) =>
      selectFrom('manifest_reference')
        .select('child')
        .where('repository_id', '=', repositoryId)
        .where('parent', 'in', [...parents])
        .where('kind', '!=', 'manifest'),
    )
    .execute()
}
