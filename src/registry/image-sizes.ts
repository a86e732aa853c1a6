import { sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'

/**
 * An image's size is that of the blobs that it refers to and its repository links, each once; an index has the size of its largest
 * child. A foreign layer may be linked after its manifest was stored, so sizes are counted again then.
 */

const imagesAtOnce = 500

/** Counts a foreign layer that was linked just now. Requires the repository's shared lock. */
export async function countForeignLayer(trx: Transaction, repositoryId: number, digest: Digest): Promise<void> {
  const parents = await trx
    .selectFrom('manifest_reference')
    .select('parent')
    .where('repository_id', '=', repositoryId)
    .where('child', '=', digest)
    .where('kind', '=', 'foreign')
    .execute()
  await recountSizes(
    trx,
    repositoryId,
    parents.map(({ parent }) => parent),
  )
}

/** Counts these images again, and then the indexes that list them. Requires a lock of the repository. */
export async function recountSizes(trx: Transaction, repositoryId: number, images: readonly string[]): Promise<void> {
  const levels: (readonly string[])[] = []
  for (let level = images; level.length > 0; level = await findIndexes(trx, repositoryId, level)) levels.push(level)
  // Two transactions that link layers of one image count one after the other, and the second sees the layer of the first.
  await lockImages(
    trx,
    repositoryId,
    [...new Set(levels.flat())].sort((a, b) => (a < b ? -1 : 1)),
  )
  for (const level of levels) {
    for (const some of batchesOf(level)) await recount(trx, repositoryId, some)
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
