import { jobKind } from '#jobs/kind.ts'
import { enqueue } from '#jobs/queue.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { FindDestination } from '#replication/destination.ts'
import { longestAskedMs } from '#replication/settling.ts'
import { sumMissingBlobs } from './missing-blobs.ts'
import { addCounts, countItems, doesSend, findRun, type Run, type RunState } from './run.ts'
import { type StepParts, takeStep } from './step.ts'

/** Walks for one run, in parts. The row of the run says where to go on, so that a process that dies repeats one page at most. */
export const replicationRun = jobKind<{ readonly id: number }>({
  kind: 'replication-run',
  // Until it is cancelled: its row says why the last attempt failed.
  attempts: Number.MAX_SAFE_INTEGER,
  leaseMs: 15_000,
  parse: (document) => document as { readonly id: number },
  key: ({ id }) => String(id),
  place: 'transfer',
})

export interface RunWorkerParts extends StepParts {
  readonly findDestination: FindDestination
  readonly partMs?: number
}

/** After so long a part ends, and other runs have their turn. */
const usualPartMs = 20_000
/** Images of a run that wait at once: pause and cancel reach all of them in one transaction. */
const mostWaiting = 1_000
const lookAgainMs = 1_000
/** The destination cannot be asked. */
const unreachableAgainMs = 30_000

export function createRunWorker(parts: RunWorkerParts): Worker {
  const { metadata, clock, findDestination, partMs = usualPartMs } = parts
  return worker(replicationRun, async ({ id }, { signal }) => {
    const again = (ms: number) => ({ again: { id }, at: clock() + ms })
    const until = performance.now() + partMs
    while (!signal.aborted && performance.now() < until) {
      const run = await findRun(metadata.reader, id)
      if (run?.state !== 'RUNNING') return 'done'
      const { waiting } = doesSend(run) ? await countItems(metadata.reader, id) : { waiting: 0 }
      if (run.listedAt !== undefined) {
        if (waiting > 0) return again(lookAgainMs)
        await finish(metadata, run, { state: 'COMPLETE', at: clock() })
        return 'done'
      }
      if (waiting >= mostWaiting) return again(lookAgainMs)
      const destination = findDestination(run.source, run.destination)
      const closedUntil = destination.closedUntil(clock())
      if (closedUntil !== undefined) return { again: { id }, at: closedUntil }
      try {
        await takeStep(parts, run, destination, { signal })
      } catch (error) {
        if (signal.aborted) break
        if (!(error instanceof RemoteFailure)) {
          await noteError(metadata, run, error instanceof Error ? error.message : String(error))
          throw error
        }
        if (error.reason === 'unauthorized' || error.reason === 'forbidden') {
          await finish(metadata, run, { state: 'FAILED', at: clock(), error: error.message })
          return 'done'
        }
        await noteError(metadata, run, error.message)
        return again(Math.max(unreachableAgainMs, Math.min(error.retryAfterMs ?? 0, longestAskedMs)))
      }
    }
    return again(0)
  })
}

/** Runs that wait for their destination are tried now. One that works goes on. */
export async function retryRuns(
  trx: Transaction,
  source: Registry,
  destination: Registry | undefined,
  now: number,
): Promise<void> {
  const rows = await trx
    .selectFrom('replication_run')
    .select('id')
    .where('source_account', '=', source.account)
    .where('source_region', '=', source.region)
    .$if(destination !== undefined, (query) =>
      query.where('account', '=', destination?.account ?? '').where('region', '=', destination?.region ?? ''),
    )
    .where('state', '=', 'RUNNING')
    .where('last_error', 'is not', null)
    .execute()
  for (const { id } of rows) await enqueue(trx, replicationRun, { id }, { at: now })
}

async function finish(
  metadata: Metadata,
  run: Run,
  { state, at, error = null }: { readonly state: RunState; readonly at: number; readonly error?: string | null },
): Promise<void> {
  await metadata.transaction(async (trx) => {
    const bytes = await sumMissingBlobs(trx, run)
    await trx
      .updateTable('replication_run')
      .set({ state, finished_at: at, last_error: error, counts: JSON.stringify(addCounts(run.counts, { bytes })) })
      .where('id', '=', run.id)
      .where('state', '=', 'RUNNING')
      .execute()
    await trx.deleteFrom('replication_run_blob').where('run_id', '=', run.id).execute()
  })
}

async function noteError(metadata: Metadata, { id }: Run, error: string): Promise<void> {
  await metadata.transaction((trx) =>
    trx.updateTable('replication_run').set({ last_error: error }).where('id', '=', id).execute(),
  )
}
