import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'

/**
 * Remembers when images were pulled, in memory, and writes it in batches: a pull waits for no commit. ECR too shows the time
 * late (API reference, `lastRecordedPullTime`); what a crash loses is the last second's.
 */
export interface Pulls {
  record(repositoryId: number, digest: Digest): void
  /** Writes what has been recorded so far. */
  flush(): Promise<void>
  /** Ends the batches and writes what is left. */
  stop(): Promise<void>
}

const batchMs = 1_000

export function createPulls({
  metadata,
  clock,
  onError,
}: {
  metadata: Metadata
  clock: Clock
  onError: (error: unknown) => void
}): Pulls {
  /** By repository, then digest, so that recording builds no key. */
  let recorded = new Map<number, Map<Digest, number>>()
  let flushing: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    if (recorded.size === 0) return
    const batch = recorded
    recorded = new Map()
    await metadata.transaction(async (trx) => {
      // In one order everywhere, so that two processes cannot wait for one another's rows.
      for (const [repositoryId, images] of [...batch].sort(([a], [b]) => a - b)) {
        for (const [digest, pulled_at] of [...images].sort(([a], [b]) => (a < b ? -1 : 1))) {
          await trx
            .updateTable('manifest')
            .set({ pulled_at })
            .where('repository_id', '=', repositoryId)
            .where('digest', '=', digest)
            .where((where) => where.or([where('pulled_at', 'is', null), where('pulled_at', '<', pulled_at)]))
            .execute()
        }
      }
    })
  }

  function flush(): Promise<void> {
    flushing = flushing.catch(() => {}).then(write)
    return flushing
  }

  // A lost batch costs times of pulls, which are advisory, so that the error is told and the next batch goes on.
  const timer = setInterval(() => void flush().catch(onError), batchMs).unref()

  return {
    record(repositoryId, digest) {
      let images = recorded.get(repositoryId)
      if (images === undefined) {
        images = new Map()
        recorded.set(repositoryId, images)
      }
      images.set(digest, clock())
    },
    flush,
    async stop() {
      clearInterval(timer)
      await flush()
    },
  }
}
