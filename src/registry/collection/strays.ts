import type { Digest } from '#names/digest.ts'
import { noteBlobs } from '#registry/collectable.ts'
import { findForeign, withoutRows } from './own-store.ts'
import type { CollectionWork } from './work.ts'

export interface Strays {
  readonly blobs: number
  readonly drafts: number
}

/**
 * Content and drafts that no row knows of, which a crash or a power loss leaves. They are found by listing all that is stored, and
 * only what is older than the grace is one: a push stores content a moment before its row, and a restore long before. A stray blob
 * gets a row that nothing links, so that content is deleted in one place (`blobs.ts`). In a store that is not the database's own
 * nothing is touched.
 */
export async function collectStrays(
  { metadata, blobs, clock, signal }: CollectionWork,
  before: number,
): Promise<Strays | { readonly foreign: string }> {
  const foreign = await findForeign({ metadata, blobs }, signal)
  if (foreign !== undefined) return { foreign }
  const found = { blobs: 0, drafts: 0 }
  for await (const digests of blobs.list()) {
    signal.throwIfAborted()
    for (const digest of await withoutRows(metadata.reader, digests)) await collect(digest)
  }
  for await (const { id, changedAt } of blobs.listDrafts()) {
    signal.throwIfAborted()
    if (changedAt > before) continue
    const upload = await metadata.reader.selectFrom('upload').select('id').where('id', '=', id).executeTakeFirst()
    if (upload !== undefined) continue
    await blobs.discardDraft(id)
    found.drafts++
  }
  return found

  async function collect(digest: Digest): Promise<void> {
    signal.throwIfAborted()
    const content = await blobs.stat(digest)
    if (content === undefined || content.storedAt > before) return
    await metadata.transaction(async (trx) => {
      await trx
        .insertInto('blob')
        .values({ digest, size: content.sizeBytes, stored_at: clock() })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      await noteBlobs(trx, [digest], clock())
    })
    found.blobs++
  }
}
