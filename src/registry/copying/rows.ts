import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { closed } from '#registry/blob-links.ts'
import { countFollowing } from '#registry/image-removals.ts'
import { countForeignLayer, recountSizes } from '#registry/image-sizes.ts'
import { referenceColumns } from '#registry/manifest-columns.ts'
import type { Repository } from '#registry/repository.ts'
import { countStored } from '#registry/storage-usage.ts'
import { inParts } from './parts.ts'
import { type AbsentManifest, findPresent } from './plan.ts'
import type { Proof } from './proof.ts'

/**
 * The rows of a copy, in statements about many images each. Requires the exclusive lock of the destination and the shared lock of the
 * source: what the source links then stays linked, and so its content stays.
 */

/** What was planned and proved is not so any more. The copy starts over. */
export class SourceChanged extends Error {
  override name = 'SourceChanged'
}

export interface RowCopy {
  readonly from: number
  readonly to: Repository
  readonly manifests: readonly AbsentManifest[]
  readonly proof: Pick<Proof, 'blobs' | 'withForeign'>
  readonly now: number
}

/** Answers the manifests that the destination did not have. @throws SourceChanged */
export async function copyRows(trx: Transaction, copy: RowCopy): Promise<ReadonlySet<Digest>> {
  if (copy.manifests.length === 0) return new Set()
  const linked = await linkBlobs(trx, copy)
  const added = await addManifests(trx, copy)
  const manifestBytes = await copyContent(trx, copy, added)
  await countStored(trx, copy.to.registry, { linked, manifestBytes })
  const withForeign = added.filter((digest) => copy.proof.withForeign.has(digest))
  // The source may link other foreign layers than the destination does.
  if (withForeign.length > 0) await recountSizes(trx, copy.to.id, withForeign)
  await countFollowing(trx, copy.to, added)
  return new Set(added)
}

/** The repository has all of these. @throws SourceChanged */
export async function requirePresent(trx: Transaction, repositoryId: number, digests: ReadonlySet<Digest>) {
  if (digests.size === 0) return
  const found = await findPresent(trx, repositoryId, [...digests])
  if (found.length < digests.size) throw new SourceChanged()
}

/** Answers the links that are new. */
async function linkBlobs(trx: Transaction, { from, to, proof, now }: RowCopy): Promise<readonly Digest[]> {
  const blobs = [...proof.blobs]
  const rows = await inParts(blobs, (some) =>
    trx
      .insertInto('repository_blob')
      .columns(['repository_id', 'digest', 'linked_at'])
      .expression((eb) =>
        eb
          .selectFrom('repository_blob as link')
          .innerJoin('blob', 'blob.digest', 'link.digest')
          .select([number(to.id).as('repository_id'), 'link.digest', number(now).as('linked_at')])
          .where('link.repository_id', '=', from)
          .where('link.digest', 'in', some)
          .where('blob.quarantined_at', 'is', null)
          // PostgreSQL shares the rows of blobs, which the collector locks in this order.
          .orderBy('link.digest'),
      )
      .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
      .returning('digest')
      .execute(),
  )
  const linked = rows.map(({ digest }) => parseDigest(digest))
  if (linked.length < blobs.length) await requireLinked(trx, to, blobs)
  await inParts(blobs, (some) =>
    trx
      .updateTable('repository_blob')
      .set({ linked_at: now })
      .where('repository_id', '=', to.id)
      .where('digest', 'in', some)
      .where('linked_at', '=', closed)
      .execute(),
  )
  await countForeignLayers(trx, to, linked)
  return linked
}

/** Some were linked before. The others must be so now. */
async function requireLinked(trx: Transaction, to: Repository, blobs: readonly Digest[]): Promise<void> {
  const rows = await inParts(blobs, (some) =>
    trx
      .selectFrom('repository_blob as link')
      .innerJoin('blob', 'blob.digest', 'link.digest')
      .select('link.digest')
      .where('link.repository_id', '=', to.id)
      .where('link.digest', 'in', some)
      .where('blob.quarantined_at', 'is', null)
      .execute(),
  )
  if (rows.length < blobs.length) throw new SourceChanged()
}

/** Images of the destination may refer to layers that it lacked until now. */
async function countForeignLayers(trx: Transaction, to: Repository, linked: readonly Digest[]): Promise<void> {
  const foreign = await inParts(linked, (some) =>
    trx
      .selectFrom('manifest_reference')
      .select('child')
      .distinct()
      .where('repository_id', '=', to.id)
      .where('child', 'in', some)
      .where('kind', '=', 'foreign')
      .execute(),
  )
  for (const { child } of foreign) await countForeignLayer(trx, to.id, parseDigest(child))
}

async function addManifests(trx: Transaction, { from, to, manifests, now }: RowCopy): Promise<readonly Digest[]> {
  const digests = manifests.map(({ digest }) => digest)
  const added = await inParts(digests, (some) =>
    trx
      .insertInto('manifest')
      .columns(['repository_id', 'digest', 'media_type', 'artifact_type', 'subject', 'image_size', 'pushed_at'])
      .expression((eb) =>
        eb
          .selectFrom('manifest as source')
          .select([number(to.id).as('repository_id'), 'digest', 'media_type', 'artifact_type', 'subject', 'image_size'])
          .select(number(now).as('pushed_at'))
          .where('repository_id', '=', from)
          .where('digest', 'in', some)
          .where('status', '=', 'ACTIVE'),
      )
      .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
      .returning('digest')
      .execute(),
  )
  if (added.length < digests.length) await requirePresent(trx, to.id, new Set(digests))
  return added.map(({ digest }) => parseDigest(digest))
}

/** Answers by how many bytes the destination has more. Content that its recycle bin has is replaced, which heals a damaged one. */
async function copyContent(
  trx: Transaction,
  { from, to, manifests }: RowCopy,
  added: readonly Digest[],
): Promise<number> {
  const isAdded = new Set(added)
  const inBin = await inParts(added, (some) =>
    trx
      .selectFrom('manifest_content')
      .select(({ fn }) => fn<number>('length', ['body']).as('size'))
      .where('repository_id', '=', to.id)
      .where('digest', 'in', some)
      .execute(),
  )
  await inParts(added, async (some) => {
    await trx
      .insertInto('manifest_content')
      .columns(['repository_id', 'digest', 'annotations', 'body'])
      .expression((eb) =>
        eb
          .selectFrom('manifest_content as source')
          .select([number(to.id).as('repository_id'), 'digest', 'annotations', 'body'])
          .where('repository_id', '=', from)
          .where('digest', 'in', some),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['repository_id', 'digest'])
          .doUpdateSet(({ ref }) => ({ annotations: ref('excluded.annotations'), body: ref('excluded.body') })),
      )
      .execute()
    await trx
      .insertInto('manifest_reference')
      .columns(referenceColumns)
      .expression((eb) =>
        eb
          .selectFrom('manifest_reference as source')
          .select([number(to.id).as('repository_id'), 'parent', 'child', 'kind', 'media_type'])
          .where('repository_id', '=', from)
          .where('parent', 'in', some),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return []
  })
  let bytes = 0
  for (const { digest, sizeBytes } of manifests) if (isAdded.has(digest)) bytes += sizeBytes
  for (const { size } of inBin) bytes -= size
  return bytes
}

/** PostgreSQL takes a parameter in a list of columns for a text. */
function number(value: number) {
  return sql<number>`cast(${value} as bigint)`
}
