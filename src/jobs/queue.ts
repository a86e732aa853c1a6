import { sql } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { JobKind } from './kind.ts'

/**
 * Asks for a job, in the transaction of what makes it necessary, so that both are committed or neither. A job of the same kind and
 * key that waits already takes the newer payload and the earlier time, or the later one where each thing that asks begins a wait anew;
 * one that runs is followed by this one.
 */
export async function enqueue<Payload>(
  trx: Transaction,
  kind: Pick<JobKind<Payload>, 'kind' | 'key'>,
  payload: Payload,
  { at, keep = 'earlier' }: { readonly at: number; readonly keep?: 'earlier' | 'later' },
): Promise<void> {
  const isKept = sql.raw(keep === 'earlier' ? '<' : '>')
  const document = JSON.stringify(payload)
  await trx
    .insertInto('job')
    .values({
      ...{ kind: kind.kind, key: kind.key(payload), payload: document, state: 'waiting', run_at: at, attempts: 0 },
      ...{ leased_by: null, leased_until: null, last_error: null, created_at: at, finished_at: null },
    })
    .onConflict((conflict) =>
      conflict
        .columns(['kind', 'key'])
        .where('state', '=', sql.lit('waiting'))
        .doUpdateSet({
          payload: document,
          attempts: 0,
          run_at: sql<number>`case when job.run_at ${isKept} excluded.run_at then job.run_at else excluded.run_at end`,
        }),
    )
    .execute()
}

/** Whether a job of that kind and key waits, be it behind one that runs. */
export async function isWaitedFor(
  reader: Reader,
  { kind, key }: { readonly kind: string; readonly key: string },
): Promise<boolean> {
  const row = await reader
    .selectFrom('job')
    .select('id')
    .where('kind', '=', kind)
    .where('key', '=', key)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return row !== undefined
}

/** As `enqueue`, where no job of that kind and key waits or runs, such as one that is done in parts and is not to begin anew. */
export async function enqueueIfNone<Payload>(
  trx: Transaction,
  kind: Pick<JobKind<Payload>, 'kind' | 'key'>,
  payload: Payload,
  { at }: { readonly at: number },
): Promise<boolean> {
  const there = await trx
    .selectFrom('job')
    .select('id')
    .where('kind', '=', kind.kind)
    .where('key', '=', kind.key(payload))
    .where('state', 'in', ['waiting', 'running'])
    .executeTakeFirst()
  if (there === undefined) await enqueue(trx, kind, payload, { at })
  return there === undefined
}
