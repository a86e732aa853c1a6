import type { Reader } from '#metadata/metadata.ts'

/** A job as its row tells it. Times are milliseconds since the epoch. */
export interface FoundJob {
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
  /** Its payload as JSON gives it back. */
  readonly document: unknown
  readonly finishedAt: number | undefined
  readonly lastError: string | undefined
}

/** The last one of that kind and key that was asked for, or the last of them in a state, while it is remembered. */
export async function findLastJob(
  reader: Reader,
  { kind, key, state }: { readonly kind: string; readonly key: string; readonly state?: FoundJob['state'] },
): Promise<FoundJob | undefined> {
  const row = await reader
    .selectFrom('job')
    .selectAll()
    .where('kind', '=', kind)
    .where('key', '=', key)
    .$if(state !== undefined, (query) => query.where('state', '=', state ?? ''))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return (
    row && {
      // Written by `leases.ts` and `queue.ts`.
      state: row.state as FoundJob['state'],
      document: JSON.parse(row.payload),
      finishedAt: row.finished_at ?? undefined,
      lastError: row.last_error ?? undefined,
    }
  )
}
