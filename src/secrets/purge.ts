import { jobKind } from '#jobs/kind.ts'
import { type Schedule, schedule } from '#jobs/schedules.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'

/** Deletes each secret once its recovery window is over. */
const purgeSecrets = jobKind({
  kind: 'purge-secrets',
  attempts: 3,
  leaseMs: 60_000,
  parse: () => ({}),
  key: () => 'all',
})

export const secretPurgeSchedule: Schedule = schedule({ everyMs: 3_600_000, kind: purgeSecrets, payload: {} })

export function createSecretPurge({ metadata, clock }: { metadata: Metadata; clock: Clock }): Worker {
  return worker(purgeSecrets, async (_payload, { signal }) => {
    for (;;) {
      signal.throwIfAborted()
      const now = clock()
      const found = await metadata.transaction(async (trx) => {
        // Under the row's lock, so that a secret that is restored meanwhile stays.
        const row = await trx
          .selectFrom('secret')
          .select('id')
          .where('purge_at', '<=', now)
          .limit(1)
          .forUpdate()
          .executeTakeFirst()
        if (row === undefined) return false
        await dropSecret(trx, row.id)
        return true
      })
      if (!found) return 'done'
    }
  })
}

/** Deletes a secret with its versions and labels. */
export async function dropSecret(trx: Transaction, id: number): Promise<void> {
  // A transaction that adds a version holds this row.
  await trx.selectFrom('secret').select('id').where('id', '=', id).forUpdate().execute()
  await trx.deleteFrom('secret_stage').where('secret_id', '=', id).execute()
  await trx.deleteFrom('secret_version').where('secret_id', '=', id).execute()
  await trx.deleteFrom('secret').where('id', '=', id).execute()
}
