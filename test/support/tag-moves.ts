import { join } from 'node:path'
import { openMetadata } from '#metadata/open.ts'
import type { RunningServer } from './server.ts'

/** Has a server that keeps SQLite in its data folder remember the moves of tags to that image as made at that time. */
export async function backdateMoves({ dataDir }: RunningServer, digest: string, at: string): Promise<void> {
  const metadata = await openMetadata(`sqlite:${join(dataDir, 'lading.db')}`, () => {})
  try {
    await metadata.transaction((trx) =>
      trx
        .updateTable('tag_move')
        .set({ moved_at: Date.parse(at) })
        .where('to_digest', '=', digest)
        .execute(),
    )
  } finally {
    await metadata.close()
  }
}
