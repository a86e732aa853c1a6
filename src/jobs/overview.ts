import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { refuseJob } from './refusals.ts'

/** Jobs as a person sees them, and what a person may do about one. Times are milliseconds since the epoch. */
export const jobStates = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

export interface Job {
  readonly id: number
  readonly kind: string
  readonly key: string
  readonly state: JobState
  /** When it is due, or was. */
  readonly runAt: number
  readonly attempts: number
  readonly lastError: string | undefined
  readonly finishedAt: number | undefined
}

export interface JobFilter {
  readonly state?: JobState | undefined
  readonly kind?: string | undefined
}

/** The latest first. `after` is the id of an earlier page's last. */
export async function listJobs(
  { reader }: Pick<Metadata, 'reader'>,
  { state, kind }: JobFilter,
  { limit, after }: { readonly limit: number; readonly after?: number | undefined },
): Promise<Page<Job, number>> {
  const rows = await reader
    .selectFrom('job')
    .select(['id', 'kind', 'key', 'state', 'run_at', 'attempts', 'last_error', 'finished_at'])
    .$if(state !== undefined, (query) => query.where('state', '=', state ?? ''))
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? ''))
    .$if(after !== undefined, (query) => query.where('id', '<', after ?? 0))
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const jobs = rows.map((row) => ({
    ...{ id: row.id, kind: row.kind, key: row.key },
    // Written by this room alone.
    state: row.state as JobState,
    ...{ runAt: row.run_at, attempts: row.attempts },
    ...{ lastError: row.last_error ?? undefined, finishedAt: row.finished_at ?? undefined },
  }))
  return pageOf(jobs, limit, ({ id }) => id)
}

/**
 * Has a job that failed, was cancelled or waits for its time be due now, with all its attempts before it. One that is asked for anew
 * already is over: the other one is due then.
 *
 * @throws Refusal `JobNotFound`, `JobNotRetryable`
 */
export async function retryJob(metadata: Metadata, id: number, now: number): Promise<void> {
  await metadata.transaction(async (trx) => {
    const job = await trx
      .selectFrom('job')
      .select(['kind', 'key', 'state'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst()
    if (job === undefined) throw refuseJob('JobNotFound', { id })
    if (job.state === 'running' || job.state === 'done') throw refuseJob('JobNotRetryable', { id, state: job.state })
    const due = { state: 'waiting', run_at: now, attempts: 0, finished_at: null }
    const { numUpdatedRows } = await trx
      .updateTable('job')
      .set({ run_at: now })
      .where('kind', '=', job.kind)
      .where('key', '=', job.key)
      .where('state', '=', 'waiting')
      .executeTakeFirst()
    if (numUpdatedRows > 0n && job.state !== 'waiting') return
    await trx.updateTable('job').set(due).where('id', '=', id).execute()
  })
}

/** One that waits is not done. One that runs goes on. @throws Refusal `JobNotFound`, `JobNotCancellable` */
export async function cancelJob(metadata: Metadata, id: number, now: number): Promise<void> {
  await metadata.transaction(async (trx) => {
    const job = await trx.selectFrom('job').select('state').where('id', '=', id).forUpdate().executeTakeFirst()
    if (job === undefined) throw refuseJob('JobNotFound', { id })
    if (job.state !== 'waiting') throw refuseJob('JobNotCancellable', { id, state: job.state })
    await trx.updateTable('job').set({ state: 'cancelled', finished_at: now }).where('id', '=', id).execute()
  })
}

/** Has a schedule be due now: a server that runs asks for its job within a second. @throws Refusal `ScheduleNotFound` */
export async function runSchedule(metadata: Metadata, name: string, clock: Clock): Promise<void> {
  await metadata.transaction(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('job_schedule')
      .set({ next_at: clock() })
      .where('name', '=', name)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) return
    const known = await trx.selectFrom('job_schedule').select('name').orderBy('name').execute()
    throw refuseJob('ScheduleNotFound', { name, known: known.map((each) => each.name) })
  })
}

export interface JobCount {
  readonly kind: string
  readonly state: JobState
  readonly count: number
}

/** Of those that are not over, and of those that failed and are kept. */
export async function countJobs(reader: Reader): Promise<JobCount[]> {
  const rows = await reader
    .selectFrom('job')
    .select(({ fn }) => ['kind', 'state', fn.countAll<number>().as('count')])
    .where('state', 'in', ['waiting', 'running', 'failed'])
    .groupBy(['kind', 'state'])
    .execute()
  return rows.map(({ kind, state, count }) => ({ kind, state: state as JobState, count: Number(count) }))
}

/** For how long the job that has been due for longest waits by now. Milliseconds; 0 where none does. */
export async function latenessMs(reader: Reader, now: number): Promise<number> {
  const row = await reader
    .selectFrom('job')
    .select('run_at')
    .where('state', '=', 'waiting')
    .orderBy('run_at')
    .limit(1)
    .executeTakeFirst()
  return Math.max(0, now - (row?.run_at ?? now))
}
