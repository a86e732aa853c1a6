import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { BlobStore } from '#blobs/store.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'

/**
 * Whose a store is. A database that takes another's store for its own knows nothing of what is in it and would delete it as stray.
 * Therefore both have the id of the store, and only where it is the same is anything deleted that the database does not know. The
 * database gets it first, so that a store with an id whose database has none is always another's.
 */
export interface StoreParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
}

/** Of so many files one may be unknown in a store without an id, such as one that an earlier version filled. */
const oneStrayIn = 10

/**
 * Why an empty database should not serve this store: the store is another database's, or has content that the database does not
 * know. An operator who mistypes where the database is, or lost it, would otherwise see an empty registry, and pushes would
 * mix the content of two databases. `undefined` where the two fit, or the database holds something.
 */
export async function findForeignToEmpty({ metadata, blobs }: StoreParts): Promise<string | undefined> {
  const { reader } = metadata
  const inStore = await blobs.id()
  const own = await readId(reader)
  if (inStore !== undefined && inStore === own) return undefined
  for (const table of ['repository', 'blob'] as const) {
    const rows = await reader.selectFrom(table).select(sql.lit(1).as('one')).limit(1).execute()
    if (rows.length > 0) return undefined
  }
  if (inStore !== undefined) return 'it belongs to another database, and this one is empty'
  for await (const digests of blobs.list()) if (digests.length > 0) return 'it has blobs, and the database is empty'
  return undefined
}

/** Makes a store that holds nothing this database's own. False for a store that is known to be another's. */
export async function claimEmptyStore(parts: StoreParts): Promise<boolean> {
  const inStore = await parts.blobs.id()
  if (inStore !== undefined) return inStore === (await readId(parts.metadata.reader))
  for await (const digests of parts.blobs.list()) if (digests.length > 0) return true
  return claim(parts)
}

/** Why what the database does not know must stay; `undefined` if the store is its own. One without an id becomes so if it knows what is in it. */
export async function findForeign(parts: StoreParts, signal: AbortSignal): Promise<string | undefined> {
  const inStore = await parts.blobs.id()
  if (inStore !== undefined) return inStore === (await readId(parts.metadata.reader)) ? undefined : anotherOwns
  const { files, unknown } = await countStored(parts, signal)
  if (unknown * oneStrayIn > files)
    return `the database does not know ${unknown} of the ${files} files in the folder of blobs (lading gc adopt lets it delete them)`
  return (await claim(parts)) ? undefined : anotherOwns
}

const anotherOwns = "the folder of blobs belongs to another database (lading gc adopt makes it this one's)"

/** Makes it this database's own, whosever it was. */
export async function adoptStore({ metadata, blobs }: StoreParts): Promise<void> {
  const store = await blobs.keepId(randomUUID())
  await metadata.transaction((trx) =>
    trx
      .insertInto('blob_store')
      .values({ id: theOne, store })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ store }))
      .execute(),
  )
}

export async function countStored({ metadata, blobs }: StoreParts, signal?: AbortSignal) {
  const count = { files: 0, unknown: 0 }
  for await (const digests of blobs.list()) {
    signal?.throwIfAborted()
    count.files += digests.length
    count.unknown += (await withoutRows(metadata.reader, digests)).length
  }
  return count
}

export async function withoutRows(reader: Reader, digests: readonly Digest[]): Promise<Digest[]> {
  const rows = await reader
    .selectFrom('blob')
    .select('digest')
    .where('digest', 'in', [...digests])
    .execute()
  const known = new Set<string>(rows.map(({ digest }) => digest))
  return digests.filter((digest) => !known.has(digest))
}

const theOne = 'blobs'

/** False if another database was quicker. */
async function claim({ metadata, blobs }: StoreParts): Promise<boolean> {
  const id = await metadata.transaction(async (trx) => {
    await trx
      .insertInto('blob_store')
      .values({ id: theOne, store: randomUUID() })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    const { store } = await trx
      .selectFrom('blob_store')
      .select('store')
      .where('id', '=', theOne)
      .executeTakeFirstOrThrow()
    return store
  })
  return (await blobs.keepId(id)) === id
}

async function readId(reader: Reader): Promise<string | undefined> {
  const row = await reader.selectFrom('blob_store').select('store').where('id', '=', theOne).executeTakeFirst()
  return row?.store
}
