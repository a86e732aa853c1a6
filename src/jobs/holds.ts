import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'

/** Keys of which one process at a time holds each, until it releases the key or dies. */
export interface Holds {
  /** Takes or keeps a key for so long. False while another process has it. */
  take(key: string, heldMs: number): Promise<boolean>
  release(key: string): Promise<void>
}

/** A row that ends later is from a clock that was ahead. It would last until this clock is there, though its process may be dead. */
const skewMs = 30_000

export function createHolds({
  metadata,
  clock,
  processId,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Unlike that of any other process, now or before. */
  readonly processId: string
}): Holds {
  return {
    async take(key, heldMs) {
      const now = clock()
      const row = { key, holder: processId, held_until: now + heldMs }
      const held = await metadata.transaction((trx) =>
        trx
          .insertInto('claim')
          .values(row)
          .onConflict((conflict) =>
            conflict
              .column('key')
              .doUpdateSet({ holder: row.holder, held_until: row.held_until })
              .where(({ or, eb }) =>
                or([
                  eb('claim.held_until', '<', now),
                  eb('claim.held_until', '>', now + heldMs + skewMs),
                  eb('claim.holder', '=', processId),
                ]),
              ),
          )
          .returning('key')
          .executeTakeFirst(),
      )
      return held !== undefined
    },

    async release(key) {
      await metadata.transaction((trx) =>
        trx.deleteFrom('claim').where('key', '=', key).where('holder', '=', processId).execute(),
      )
    },
  }
}
