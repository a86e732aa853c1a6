import type { Clock } from '#lib/clock.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata } from '#metadata/metadata.ts'

/**
 * When access keys were last used, for what and where, and with them the roles whose sessions they are (IAM API reference,
 * GetAccessKeyLastUsed and GetRole). Noted in memory and written in batches, since a call must not wait for it; IAM too tells
 * it late. Docker's pulls count with the call that asked for their token.
 */
export interface KeyUses extends WriteBehind {
  record(accessKeyId: string, use: { readonly service: string; readonly region: string }): void
}

interface Use {
  readonly service: string
  readonly region: string
  readonly at: number
}

/** Each write has others read anew what they remember, so that it is rarer than that of pulls. */
const batchMs = 15_000

export function createKeyUses({
  metadata,
  clock,
  onError,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): KeyUses {
  let recorded = new Map<string, Use>()

  async function write(): Promise<void> {
    if (recorded.size === 0) return
    // In the same order everywhere, so that two processes cannot wait for one another's rows.
    const batch = [...recorded].sort(([one], [other]) => (one < other ? -1 : 1))
    recorded = new Map()
    const isSession = ([id]: readonly [string, Use]) => id.startsWith('ASIA')
    await metadata.transaction(async (trx) => {
      for (const [id, { service, region, at }] of batch.filter((use) => !isSession(use))) {
        await trx
          .updateTable('access_key')
          .set({ last_used_at: at, last_used_service: service, last_used_region: region })
          .where('id', '=', id)
          .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
          .execute()
      }
      for (const [id, { region, at }] of batch.filter(isSession)) {
        await trx
          .updateTable('iam_role')
          .set({ last_used_at: at, last_used_region: region })
          .where('id', '=', ({ selectFrom }) => selectFrom('session').select('owner_id').where('id', '=', id))
          .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
          .execute()
      }
    })
  }

  return {
    ...createWriteBehind({ everyMs: batchMs, write, onError }),
    record(accessKeyId, { service, region }) {
      recorded.set(accessKeyId, { service, region, at: clock() })
    },
  }
}
