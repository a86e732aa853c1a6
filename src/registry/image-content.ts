import { setImmediate } from 'node:timers/promises'
import { slicesWithin } from '#lib/slices.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { countManifests } from './storage-usage.ts'

/**
 * The bytes of images, apart from what lists read. A row serves the image of that digest in the repository and the one in its recycle
 * bin: an image keeps its row on the way to the bin and back. Under the repository's exclusive lock, each image has its row, and each
 * row has its image.
 */
export interface ManifestContent {
  readonly body: Uint8Array
  readonly annotations: Readonly<Record<string, string>> | undefined
}

/** A row that the recycle bin has already is replaced, which heals a damaged one. */
export async function storeContent(
  trx: Transaction,
  repositoryId: number,
  digest: Digest,
  { body, annotations }: ManifestContent,
): Promise<void> {
  const before = await selectSizes(trx, repositoryId).where('content.digest', '=', digest).executeTakeFirst()
  await countManifests(trx, repositoryId, body.byteLength - (before?.size ?? 0))
  const content = { annotations: annotations === undefined ? null : JSON.stringify(annotations), body }
  await trx
    .insertInto('manifest_content')
    .values({ repository_id: repositoryId, digest, ...content })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet(content))
    .execute()
}

/** SQLite frees some MiB in a millisecond, and a row may have 4 MiB. */
const bytesAtOnce = 16 * 1024 * 1024

/** Deletes the content of these images, but for those that the repository or its recycle bin has. */
export async function dropContent(trx: Transaction, repositoryId: number, digests: readonly Digest[]): Promise<void> {
  // PostgreSQL has no empty list.
  if (digests.length === 0) return
  const unneeded = await selectUnneeded(trx, repositoryId).where('content.digest', 'in', digests).execute()
  for (const [at, slice] of slicesWithin(unneeded, bytesAtOnce, ({ size }) => size).entries()) {
    // Reads are served in between.
    if (at > 0) await setImmediate()
    await drop(trx, repositoryId, slice)
  }
}

const rowsAtOnce = 500

/** Deletes some content that no image of the repository needs. False once there is none left. */
export async function dropSomeContent(trx: Transaction, repositoryId: number): Promise<boolean> {
  const rows = await selectUnneeded(trx, repositoryId).orderBy('content.digest').limit(rowsAtOnce).execute()
  const [first] = slicesWithin(rows, bytesAtOnce, ({ size }) => size)
  if (first === undefined) return false
  await drop(trx, repositoryId, first)
  return true
}

/** Subtracts what this transaction deletes: of two that purge a deleted repository, both may have read the same rows. */
async function drop(
  trx: Transaction,
  repositoryId: number,
  rows: readonly { readonly digest: string }[],
): Promise<void> {
  const gone = await trx
    .deleteFrom('manifest_content')
    .where('repository_id', '=', repositoryId)
    .where(
      'digest',
      'in',
      rows.map(({ digest }) => digest),
    )
    .returning(({ fn }) => fn<number>('length', ['body']).as('size'))
    .execute()
  await countManifests(trx, repositoryId, -gone.reduce((sum, { size }) => sum + size, 0))
}

function selectSizes(reader: Reader, repositoryId: number) {
  return reader
    .selectFrom('manifest_content as content')
    .select(({ fn }) => ['content.digest', fn<number>('length', ['content.body']).as('size')])
    .where('content.repository_id', '=', repositoryId)
}

function selectUnneeded(reader: Reader, repositoryId: number) {
  return selectSizes(reader, repositoryId).where(({ and, not, exists, selectFrom }) => {
    const has = (table: 'manifest' | 'deleted_image') =>
      exists(
        selectFrom(table)
          .select('digest')
          .whereRef('repository_id', '=', 'content.repository_id')
          .whereRef('digest', '=', 'content.digest'),
      )
    return and([not(has('manifest')), not(has('deleted_image'))])
  })
}
