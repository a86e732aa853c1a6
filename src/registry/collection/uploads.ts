import type { CollectionWork } from './work.ts'

const uploadsAtOnce = 100

/** Ends uploads that nobody has touched since. A crash between a row and its draft leaves a stray. Answers how many. */
export async function collectUploads(
  { metadata, blobs, signal }: Omit<CollectionWork, 'clock'>,
  before: number,
): Promise<number> {
  let collected = 0
  for (;;) {
    const abandoned = await metadata.reader
      .selectFrom('upload')
      .select('id')
      .where('touched_at', '<=', before)
      .limit(uploadsAtOnce)
      .execute()
    for (const { id } of abandoned) {
      signal.throwIfAborted()
      const { numDeletedRows } = await metadata.transaction((trx) =>
        trx.deleteFrom('upload').where('id', '=', id).where('touched_at', '<=', before).executeTakeFirst(),
      )
      if (numDeletedRows === 0n) continue
      await blobs.discardDraft(id)
      collected++
    }
    if (abandoned.length < uploadsAtOnce) return collected
  }
}
