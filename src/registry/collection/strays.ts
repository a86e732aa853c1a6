import type { BlobStore } from '#blobs/store.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { noteBlobs } from '#registry/collectable.ts'

/**
 * Content and drafts that no row knows of, which a crash or a power loss leaves. They are found by listing all that is stored, and
 * only what is older than the grace is one: a push stores content a moment before its row, and a restore long before. A stray blob
 * gets a row that nothing links, so that content is deleted in one place (`blobs.ts`).
 */
export async function collectStrays(
  {
    metadata,
    blobs,
    clock,
    signal,
  }: {
    metadata: Metadata
    blobs: BlobStore
    clock: () => number
    signal: AbortSignal
  },
  before: number,
): Promise<{ readonly blobs: number; readonly drafts: number }> {
  const found = { blobs: 0, drafts: 0 }
  for await (const digests of blobs.list()) {
    signal.throwIfAborted()
    for (const digest of await withoutRows(metadata, digests)) {
      const content = await blobs.stat(digest)
      if (content === undefined || content.storedAt > before) continue
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
  for await (const { id, changedAt } of blobs.listDrafts()) {
    signal.throwIfAborted()
    if (changedAt > before) continue
    const upload = await metadata.reader.selectFrom('upload').select('id').where('id', '=', id).executeTakeFirst()
    if (upload !== undefined) continue
    await blobs.discardDraft(id)
    found.drafts++
  }
  return found
}

async function withoutRows({ reader }: Metadata, digests: readonly Digest[]): Promise<Digest[]> {
  const rows = await reader
    .selectFrom('blob')
    .select('digest')
    .where('digest', 'in', [...digests])
    .execute()
  const known = new Set<string>(rows.map(({ digest }) => digest))
  return digests.filter((digest) => !known.has(digest))
}
