import { randomUUID } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'

/**
 * Holds on collection: while one is good, no content goes. A backup copies what its snapshot refers to for as long as that takes, and
 * then content must stay that nothing links any more. A hold ends by itself some time after whoever took it has died.
 */

const goodForMs = 15 * 60_000
const renewedEachMs = goodForMs / 5

/**
 * The row that whoever takes a hold and whoever collects both lock, so that a hold is good once it is taken: who began to collect
 * before has ended by then, and who begins later sees it.
 */
const gate = { id: 'gate', expires_at: 0 }

/** Keeps content from being collected until it is disposed of. */
export async function holdCollection({
  metadata,
  clock,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
}): Promise<AsyncDisposable> {
  const id = randomUUID()
  await takeHold(metadata, id, clock())
  // Where the database is away for a moment, the next one renews it: there are several before it ends.
  const renewing = setInterval(() => void takeHold(metadata, id, clock()).catch(() => {}), renewedEachMs)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(renewing)
      await metadata.transaction((trx) => trx.deleteFrom('collection_hold').where('id', '=', id).execute())
    },
  }
}

function takeHold(metadata: Metadata, id: string, now: number): Promise<void> {
  return metadata.transaction(async (trx) => {
    await lockGate(trx)
    await trx.deleteFrom('collection_hold').where('id', '!=', gate.id).where('expires_at', '<=', now).execute()
    const expires_at = now + goodForMs
    await trx
      .insertInto('collection_hold')
      .values({ id, expires_at })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ expires_at }))
      .execute()
  })
}

/** Whether somebody keeps content from being collected. If not, nobody begins to until the transaction has ended. */
export async function isHeld(trx: Transaction, now: number): Promise<boolean> {
  await lockGate(trx)
  const hold = await trx
    .selectFrom('collection_hold')
    .select('id')
    .where('expires_at', '>', now)
    .limit(1)
    .executeTakeFirst()
  return hold !== undefined
}

async function lockGate(trx: Transaction): Promise<void> {
  await trx
    .insertInto('collection_hold')
    .values(gate)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ expires_at: gate.expires_at }))
    .execute()
}
