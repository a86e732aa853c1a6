import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { noteBlobs } from '#registry/collectable.ts'
import type { CollectionWork } from './work.ts'

/** So much may be stray in a store all of whose images are gone. */
const mostUnrelated = 100

/**
 * Content and drafts that no row knows of, which a crash or a power loss leaves. They are found by listing all that is stored, and
 * only what is older than the grace is one: a push stores content a moment before its row, and a restore long before. A stray blob
 * gets a row that nothing links, so that content is deleted in one place (`blobs.ts`). Where the database knows nothing of much that is
 * stored, it is the wrong one, and nothing is touched.
 */
export async function collectStrays(
  { metadata, blobs, clock, signal }: CollectionWork,
  before: number,
): Promise<{ readonly blobs: number; readonly drafts: number } | 'unrelated'> {
  const found = { blobs: 0, drafts: 0 }
  let known = 0
  let waiting: Digest[] = []
  for await (const digests of blobs.list()) {
    signal.throwIfAborted()
    const unknown = await withoutRows(metadata, digests)
    known += digests.length - unknown.length
    waiting.push(...unknown)
    if (known === 0 && waiting.length <= mostUnrelated) continue
    if (known === 0) return 'unrelated'
    await collect(waiting)
    waiting = []
  }
  await collect(waiting)
  for await (const { id, changedAt } of blobs.listDrafts()) {
    signal.throwIfAborted()
    if (changedAt > before) continue
    const upload = await metadata.reader.selectFrom('upload').select('id').where('id', '=', id).executeTakeFirst()
    if (upload !== undefined) continue
    await blobs.discardDraft(id)
    found.drafts++
  }
  return found

  async function collect(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      signal.throwIfAborted()
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
