import type { ExpressionBuilder } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import type { Schema } from '#metadata/schema.ts'
import { parseDigest } from '#names/digest.ts'
import { noteBlobs } from '#registry/collectable.ts'
import { lockRepositoryRow } from '#registry/repository.ts'
import { uncountLinks } from '#registry/storage-usage.ts'
import type { CollectionWork } from './work.ts'

const repositoriesAtOnce = 100
const linksAtOnce = 200

/**
 * Takes away links that no manifest has needed for long enough, be it in its repository or in the recycle bin. Under the repository's
 * exclusive lock, as whoever stores a manifest asks for its links under the same. Answers how many went.
 */
export async function collectLinks(
  { metadata, clock, signal }: Omit<CollectionWork, 'blobs'>,
  before: number,
): Promise<number> {
  let collected = 0
  for (;;) {
    const repositories = await metadata.reader
      .selectFrom('link_candidate')
      .select('repository_id')
      .distinct()
      .where('since', '<=', before)
      .limit(repositoriesAtOnce)
      .execute()
    if (repositories.length === 0) return collected
    for (const { repository_id } of repositories) {
      let looked: number
      do {
        signal.throwIfAborted()
        const step = await metadata.transaction((trx) => collectSome(trx, repository_id, before, clock()))
        collected += step.collected
        looked = step.looked
      } while (looked === linksAtOnce)
    }
  }
}

async function collectSome(trx: Transaction, repositoryId: number, before: number, now: number) {
  await lockRepositoryRow(trx, repositoryId)
  const candidates = await trx
    .selectFrom('link_candidate')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('since', '<=', before)
    .limit(linksAtOnce)
    .execute()
  const digests = candidates.map(({ digest }) => digest)
  if (digests.length === 0) return { looked: 0, collected: 0 }
  const gone = await trx
    .deleteFrom('repository_blob')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .where(isUnneeded)
    .returning('digest')
    .execute()
  await trx
    .deleteFrom('link_candidate')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute()
  await uncountLinks(
    trx,
    repositoryId,
    gone.map(({ digest }) => digest),
  )
  await noteBlobs(
    trx,
    gone.map(({ digest }) => parseDigest(digest)),
    now,
  )
  return { looked: digests.length, collected: gone.length }
}

/** Whether neither a manifest nor one in the recycle bin refers to what is linked. */
export function isUnneeded({ not, exists, selectFrom }: ExpressionBuilder<Schema, 'repository_blob'>) {
  const needs = (table: 'manifest_reference' | 'deleted_image_reference') =>
    exists(
      selectFrom(table)
        .select('child')
        .whereRef(`${table}.repository_id`, '=', 'repository_blob.repository_id')
        .whereRef(`${table}.child`, '=', 'repository_blob.digest')
        .where(`${table}.kind`, '!=', 'manifest'),
    )
  return not(needs('manifest_reference').or(needs('deleted_image_reference')))
}
