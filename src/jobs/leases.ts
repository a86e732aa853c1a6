import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { isWaitedFor } from './queue.ts'
import type { Worker } from './worker.ts'

/**
 * The rows of jobs as processes take them and give them back:
 *
 *   waiting ──take──> running ──> done
 *      ▲                 ├──────> failed      tried as often as its kind says, be it that its process ended each time, or given up
 *      └──later, again───┘
 *
 * Whoever holds a job says so in its row until a time, and says so anew before that time comes. After it anybody takes the job. What
 * its holder writes counts only while the row still names it and this attempt, so that one who was thought dead ends nothing.
 */
export interface Lease {
  readonly id: number
  readonly kind: string
  readonly key: string
  /** As JSON gives it back. */
  readonly document: unknown
  /** How often it was begun, this time included. */
  readonly attempt: number
}

export interface Leases {
  /** The job that has been due for longest, of these kinds and not among `held`; nothing is written where none is due. */
  take(workers: ReadonlyMap<string, Worker>, held: readonly number[]): Promise<Lease | undefined>
  /** False if it is somebody else's by now. */
  renew(lease: Lease, leaseMs: number): Promise<boolean>
  end(lease: Lease, ending: Ending): Promise<void>
}

export type Ending =
  /** `document` takes the place of the one that it had. */
  | { readonly state: 'done'; readonly document?: unknown }
  | { readonly state: 'failed'; readonly error: string }
  /** `attempts` are those that count from now on. */
  | {
      readonly state: 'waiting'
      readonly at: number
      readonly attempts: number
      readonly document?: unknown
      readonly error?: string
    }

export function createLeases({
  metadata,
  clock,
  processId,
  onGivenUp,
}: {
  metadata: Metadata
  clock: () => number
  processId: string
  /** Told of those that have failed for good with the process that did them last. */
  onGivenUp: (reason: string, lease: Omit<Lease, 'document'>) => void
}): Leases {
  async function findDue(kinds: readonly string[], held: readonly number[]): Promise<boolean> {
    const now = clock()
    const due = metadata.reader
      .selectFrom('job')
      .select('id')
      .where('kind', 'in', kinds)
      .$if(held.length > 0, (query) => query.where('id', 'not in', held))
      .limit(1)
    const waiting = await due.where('state', '=', 'waiting').where('run_at', '<=', now).executeTakeFirst()
    if (waiting !== undefined) return true
    const left = await due.where('state', '=', 'running').where('leased_until', '<=', now).executeTakeFirst()
    return left !== undefined
  }

  return {
    async take(workers, held) {
      const kinds = [...workers.keys()]
      if (kinds.length === 0 || !(await findDue(kinds, held))) return undefined
      const taken = await metadata.transaction(async (trx) => {
        const now = clock()
        const row = (await selectLeft(trx, kinds, held, now)) ?? (await selectWaiting(trx, kinds, held, now))
        if (row === undefined) return undefined
        const { attempts: most = 0, leaseMs = 0 } = workers.get(row.kind) ?? {}
        if (row.state === 'running' && row.attempts >= most) return { ...row, givenUp: await giveUp(trx, row, now) }
        const attempt = row.attempts + 1
        await trx
          .updateTable('job')
          .set({ state: 'running', leased_by: processId, leased_until: now + leaseMs, attempts: attempt })
          .where('id', '=', row.id)
          .execute()
        return { id: row.id, kind: row.kind, key: row.key, document: JSON.parse(row.payload), attempt }
      })
      if (taken === undefined || !('givenUp' in taken)) return taken
      const { id, kind, key, attempts: attempt, givenUp } = taken
      onGivenUp(givenUp, { id, kind, key, attempt })
      return this.take(workers, held)
    },

    renew: ({ id, attempt }, leaseMs) =>
      metadata.transaction(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('job')
          .set({ leased_until: clock() + leaseMs })
          .where('id', '=', id)
          .where('state', '=', 'running')
          .where('leased_by', '=', processId)
          .where('attempts', '=', attempt)
          .executeTakeFirst()
        return numUpdatedRows > 0n
      }),

    end: (lease, ending) =>
      metadata.transaction(async (trx) => {
        const own = await trx
          .selectFrom('job')
          .select('id')
          .where('id', '=', lease.id)
          .where('state', '=', 'running')
          .where('leased_by', '=', processId)
          .where('attempts', '=', lease.attempt)
          .forUpdate()
          .executeTakeFirst()
        if (own === undefined) return
        const released = { leased_by: null, leased_until: null }
        if (ending.state === 'waiting' && !(await isWaitedFor(trx, lease))) {
          const { at, attempts, document = lease.document, error = null } = ending
          const later = { state: 'waiting', run_at: at, attempts, payload: JSON.stringify(document) }
          await trx
            .updateTable('job')
            .set({ ...released, ...later, last_error: error })
            .where('id', '=', lease.id)
            .execute()
          return
        }
        // One that was to go on and is asked for anew meanwhile is over: the other follows it.
        const { state, error = null } = ending.state === 'failed' ? ending : { state: 'done' }
        const { document = lease.document } = ending.state === 'done' ? ending : {}
        await trx
          .updateTable('job')
          .set({ ...released, state, payload: JSON.stringify(document), last_error: error, finished_at: clock() })
          .where('id', '=', lease.id)
          .execute()
      }),
  }
}

/** One whose holder has given no sign of life. */
function selectLeft(trx: Transaction, kinds: readonly string[], held: readonly number[], now: number) {
  return selectJobs(trx, kinds)
    .where('state', '=', 'running')
    .where('leased_until', '<=', now)
    .$if(held.length > 0, (query) => query.where('id', 'not in', held))
    .executeTakeFirst()
}

/** Or else a job that ends its process, such as for want of memory, would end one after the other for ever. Answers why. */
async function giveUp(
  trx: Transaction,
  { id, attempts, last_error }: { readonly id: number; readonly attempts: number; readonly last_error: string | null },
  now: number,
): Promise<string> {
  const reason =
    last_error === null
      ? `its process ended, or gave no sign of life, in each of ${attempts} attempts`
      : `its process ended, or gave no sign of life, in the last of ${attempts} attempts; before that: ${last_error}`
  await trx
    .updateTable('job')
    .set({ state: 'failed', leased_by: null, leased_until: null, last_error: reason, finished_at: now })
    .where('id', '=', id)
    .execute()
  return reason
}

/**
 * A due job, by kind and key, that no process runs. It is none of `held`: an attempt that lost its lease may still run here, and the
 * next attempt may have its number again.
 */
function selectWaiting(trx: Transaction, kinds: readonly string[], held: readonly number[], now: number) {
  return selectJobs(trx, kinds)
    .where('state', '=', 'waiting')
    .where('run_at', '<=', now)
    .$if(held.length > 0, (query) => query.where('id', 'not in', held))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('job as other')
            .select('other.id')
            .whereRef('other.kind', '=', 'job.kind')
            .whereRef('other.key', '=', 'job.key')
            .where('other.state', '=', 'running'),
        ),
      ),
    )
    .executeTakeFirst()
}

function selectJobs(trx: Transaction, kinds: readonly string[]) {
  return trx
    .selectFrom('job')
    .select(['id', 'kind', 'key', 'payload', 'state', 'attempts', 'last_error'])
    .where('kind', 'in', kinds)
    .orderBy('run_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
}
