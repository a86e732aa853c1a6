import { setImmediate as otherRequests } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { mediaTypes } from '#names/manifest-types.ts'

/**
 * An image's size is that of the blobs that it refers to and its repository links, each once; an index has the size of its largest
 * child. A foreign layer may be linked after its manifest was stored. Its size is added then: ten thousand images with four thousand
 * layers each may refer to it, and counting all of these again for each layer would take minutes.
 */

const imagesAtOnce = 500

const indexTypes = [mediaTypes.ociIndex, mediaTypes.dockerList]

/** Counts a foreign layer that was linked just now. Requires the repository's shared lock. */
export async function countForeignLayer(trx: Transaction, repositoryId: number, digest: Digest): Promise<void> {
  const parents = await trx
    .selectFrom('manifest_reference')
    .select('parent')
    .where('repository_id', '=', repositoryId)
    .where('child', '=', digest)
    .where('kind', '=', 'foreign')
    .execute()
  const [images = [], ...indexes] = await lockUpwards(
    trx,
    repositoryId,
    parents.map(({ parent }) => parent),
  )
  for (const some of batchesOf(images)) {
    await addSize(trx, repositoryId, some, digest)
    await otherRequests()
  }
  let children = images
  for (const level of indexes) {
    for (const some of batchesOf(children)) {
      await raiseIndexes(trx, repositoryId, some)
      await otherRequests()
    }
    children = level
  }
}

/** Counts these images again, and then the indexes that list them. Requires a lock of the repository. */
export async function recountSizes(trx: Transaction, repositoryId: number, images: readonly string[]): Promise<void> {
  for (const level of await lockUpwards(trx, repositoryId, images)) {
    for (const some of batchesOf(level)) await recount(trx, repositoryId, some)
  }
}

/** Returns the images, then the indexes that list them, then those that list these. */
async function lockUpwards(
  trx: Transaction,
  repositoryId: number,
  images: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const levels: (readonly string[])[] = []
  for (let level = images; level.length > 0; level = await findIndexes(trx, repositoryId, level)) levels.push(level)
  // Two transactions that link layers of one image count one after the other, and the second sees the layer of the first.
  await lockImages(
    trx,
    repositoryId,
    [...new Set(levels.flat())].sort((a, b) => (a < b ? -1 : 1)),
  )
  return levels
}

/** To images, and to indexes that list layers alone: others have the size of a child. */
async function addSize(trx: Transaction, repositoryId: number, images: readonly string[], layer: Digest) {
  await trx
    .updateTable('manifest')
    .set({ image_size: sql<number>`image_size + (select size from blob where digest = ${layer})` })
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', images)
    .where(({ eb, or, not, exists, selectFrom }) =>
      or([
        eb('media_type', 'not in', indexTypes),
        not(
          exists(
            selectFrom('manifest_reference as reference')
              .select('reference.child')
              .whereRef('reference.repository_id', '=', 'manifest.repository_id')
              .whereRef('reference.parent', '=', 'manifest.digest')
              .where('reference.kind', '=', 'manifest'),
          ),
        ),
      ]),
    )
    .execute()
}

/** The indexes that list these children have at least the size of the largest of them. */
async function raiseIndexes(trx: Transaction, repositoryId: number, children: readonly string[]): Promise<void> {
  const rows = await trx
    .selectFrom('manifest_reference as reference')
    .innerJoin('manifest as child', (join) =>
      join.onRef('child.repository_id', '=', 'reference.repository_id').onRef('child.digest', '=', 'reference.child'),
    )
    .select(({ fn }) => ['reference.parent', fn.max('child.image_size').as('size')])
    .where('reference.repository_id', '=', repositoryId)
    .where('reference.child', 'in', children)
    .where('reference.kind', '=', 'manifest')
    .groupBy('reference.parent')
    .execute()
  for (const [size, indexes] of Map.groupBy(rows, (row) => row.size)) {
    await trx
      .updateTable('manifest')
      .set({ image_size: size })
      .where('repository_id', '=', repositoryId)
      .where(
        'digest',
        'in',
        indexes.map(({ parent }) => parent),
      )
      .where('image_size', '<', size)
      .execute()
  }
}

/** In order of digest, as the recording of pulls locks them too. */
async function lockImages(trx: Transaction, repositoryId: number, images: readonly string[]): Promise<void> {
  for (const some of batchesOf(images)) {
    await trx
      .selectFrom('manifest')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .orderBy('digest')
      .forUpdate()
      .execute()
  }
}

async function findIndexes(trx: Transaction, repositoryId: number, children: readonly string[]): Promise<string[]> {
  const indexes = new Set<string>()
  for (const some of batchesOf(children)) {
    const rows = await trx
      .selectFrom('manifest_reference')
      .select('parent')
      .distinct()
      .where('repository_id', '=', repositoryId)
      .where('child', 'in', some)
      .where('kind', '=', 'manifest')
      .execute()
    for (const { parent } of rows) indexes.add(parent)
  }
  return [...indexes]
}

async function recount(trx: Transaction, repositoryId: number, images: readonly string[]): Promise<void> {
  const referenceOfImage = sql`reference.repository_id = manifest.repository_id and reference.parent = manifest.digest`
  await trx
    .updateTable('manifest')
    .set({
      image_size: sql<number>`coalesce(
        (
          select max(child.image_size) from manifest_reference as reference
          join manifest as child on child.repository_id = reference.repository_id and child.digest = reference.child
          where ${referenceOfImage} and reference.kind = 'manifest'
        ),
        (
          select sum(blob.size) from blob where blob.digest in (
            select link.digest from manifest_reference as reference
            join repository_blob as link
              on link.repository_id = reference.repository_id and link.digest = reference.child
            where ${referenceOfImage} and reference.kind <> 'manifest'
          )
        ),
        0
      )`,
    })
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', images)
    .execute()
}

function* batchesOf(images: readonly string[]): Generator<readonly string[], void> {
  for (let at = 0; at < images.length; at += imagesAtOnce) yield images.slice(at, at + imagesAtOnce)
}
