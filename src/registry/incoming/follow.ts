import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import type { Progress } from './progress.ts'
import type { IncomingRows } from './rows.ts'

/** How often the file of another process is looked at while a reader here wants its bytes. */
const fileEachMs = 50
const rowFirstMs = 25
const rowLastMs = 500

/**
 * Follows a transfer that another process leads, by the size of its draft and now and then by its row. One such watch serves all readers
 * of this process. Resolves when the row is gone, or its leader: then an election says what comes next.
 */
export async function follow(
  { rows, clock }: { readonly rows: IncomingRows; readonly clock: Clock },
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { key, digest } = progress
  let leader: string | undefined
  let upload: string | undefined
  let rowEachMs = rowFirstMs
  for (let nextRow = 0; ; ) {
    if (performance.now() >= nextRow) {
      const row = await rows.find(key, digest)
      if (row === undefined || row.leader === null || row.leased_until <= clock()) return
      // Another leader writes another file.
      if (row.upload !== upload || row.leader !== leader) progress.attach(row.upload)
      upload = row.upload
      leader = row.leader
      if (row.size !== null) progress.announce(row.size)
      nextRow = performance.now() + rowEachMs
      rowEachMs = Math.min(rowEachMs * 1.5, rowLastMs)
    }
    const size = progress.isRead ? await progress.fileSize() : undefined
    if (size !== undefined) progress.advance(size)
    // Once all bytes are there, the end is near.
    if (size !== undefined && size === progress.sizeBytes) rowEachMs = fileEachMs
    await delay(Math.min(fileEachMs, rowEachMs), undefined, { signal })
  }
}
