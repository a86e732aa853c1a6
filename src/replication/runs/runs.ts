import { enqueue } from '#jobs/queue.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { lockRegistry } from '#registry/settings.ts'
import { readDestinations, requireDestination } from '#replication/named-destinations.ts'
import type { Route } from '#replication/queue.ts'
import { refuse } from '#replication/refusals.ts'
import { registryText } from '#replication/rules.ts'
import { type FindingKind, type ListedFinding, listFindings } from './findings.ts'
import { sumMissingBlobs } from './missing-blobs.ts'
import {
  countItems,
  findRun,
  noCounts,
  parseRun,
  type Run,
  type RunItems,
  type RunKind,
  type RunRequest,
} from './run.ts'
import { replicationRun } from './worker.ts'

/** Back-fills, dry runs of them, and verifications, as an administrator starts and follows them. */
export interface ReplicationRuns {
  /**
   * One run for each destination; for each that a rule names where none is given.
   *
   * @throws Refusal `ReplicationDestinationNotFound`, `ReplicationRulesMissing`, `ReplicationRunUnderWay`
   */
  start(source: Registry, started: StartedRun): Promise<readonly RunStatus[]>
  /** @throws Refusal `ReplicationRunNotFound` */
  get(source: Registry, id: number): Promise<RunStatus>
  /** The newest first. `after` is the id of an earlier page's last. */
  list(
    source: Registry,
    page: { readonly unfinished: boolean; readonly limit: number; readonly after: number | undefined },
  ): Promise<Page<RunStatus, number>>
  /** @throws Refusal `ReplicationRunNotFound`, `ReplicationRunFinished` */
  change(source: Registry, id: number, change: RunChange): Promise<RunStatus>
  /** @throws Refusal `ReplicationRunNotFound` */
  listFindings(
    source: Registry,
    id: number,
    page: { readonly kind: FindingKind | undefined; readonly limit: number; readonly after: number | undefined },
  ): Promise<Page<ListedFinding, number>>
}

export interface StartedRun {
  readonly kind: RunKind
  readonly destinations: readonly Registry[]
  readonly request: RunRequest
  /** The ARN of the principal. */
  readonly by: string
}

export type RunChange = 'pause' | 'resume' | 'cancel'

export interface RunStatus extends Run {
  readonly items: RunItems
}

/** Earlier runs that are kept beside a new one of the same kind to the same destination. */
const mostEarlier = 3

export function createReplicationRuns({
  metadata,
  clock,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
}): ReplicationRuns {
  const { reader } = metadata

  async function describe(run: Run): Promise<RunStatus> {
    const bytes = run.finishedAt === undefined ? await sumMissingBlobs(reader, run) : run.counts.bytes
    return { ...run, counts: { ...run.counts, bytes }, items: await countItems(reader, run.id) }
  }

  async function get(from: Reader, source: Registry, id: number): Promise<Run> {
    const run = await findRun(from, id)
    const isOwn = run?.source.account === source.account && run.source.region === source.region
    if (run === undefined || !isOwn) throw refuse('ReplicationRunNotFound', { id })
    return run
  }

  return {
    async start(source, { kind, destinations, request, by }) {
      for (const destination of destinations) await requireDestination(reader, source, destination)
      const named = destinations.length > 0 ? destinations : await readDestinations(reader, source)
      if (named.length === 0) throw refuse('ReplicationRulesMissing', { source })
      const unique = [...new Map(named.map((each) => [registryText(each), each])).values()]
      const ids = await metadata.transaction(async (trx) => {
        await lockRegistry(trx, source)
        const created: number[] = []
        for (const destination of unique) {
          const route = { source, destination }
          await requireNone(trx, route, kind)
          await forgetOld(trx, route, kind)
          const id = await insert(trx, route, { kind, request, by, at: clock() })
          await enqueue(trx, replicationRun, { id }, { at: clock() })
          created.push(id)
        }
        return created
      })
      return Promise.all(ids.map(async (id) => describe(await get(reader, source, id))))
    },

    get: async (source, id) => describe(await get(reader, source, id)),

    async list(source, { unfinished, limit, after }) {
      const rows = await reader
        .selectFrom('replication_run')
        .selectAll()
        .where('source_account', '=', source.account)
        .where('source_region', '=', source.region)
        .$if(unfinished, (query) => query.where('state', 'in', ['RUNNING', 'PAUSED']))
        .$if(after !== undefined, (query) => query.where('id', '<', after ?? 0))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      const { items, next } = pageOf(rows.map(parseRun), limit, ({ id }) => id)
      const described = await Promise.all(items.map(describe))
      return next === undefined ? { items: described } : { items: described, next }
    },

    async change(source, id, change) {
      await metadata.transaction(async (trx) => {
        await trx.selectFrom('replication_run').select('id').where('id', '=', id).forUpdate().execute()
        const run = await get(trx, source, id)
        if (run.state !== 'RUNNING' && run.state !== 'PAUSED') {
          throw refuse('ReplicationRunFinished', { id, state: run.state })
        }
        await changes[change](trx, run, clock())
      })
      return describe(await get(reader, source, id))
    },

    async listFindings(source, id, page) {
      return listFindings(reader, await get(reader, source, id), page)
    },
  }
}

const changes: Readonly<Record<RunChange, (trx: Transaction, run: Run, now: number) => Promise<void>>> = {
  async pause(trx, { id }) {
    await trx.updateTable('replication_run').set({ state: 'PAUSED' }).where('id', '=', id).execute()
    await trx
      .updateTable('replication_item')
      .set({ due_at: null })
      .where('sync', '=', id)
      .where('state', '=', 'WAITING')
      .execute()
  },

  async resume(trx, { id }, now) {
    await trx.updateTable('replication_run').set({ state: 'RUNNING' }).where('id', '=', id).execute()
    await trx
      .updateTable('replication_item')
      .set({ due_at: now })
      .where('sync', '=', id)
      .where('state', '=', 'WAITING')
      .where('due_at', 'is', null)
      .execute()
    await enqueue(trx, replicationRun, { id }, { at: now })
  },

  /** What was there before stays COMPLETE. */
  async cancel(trx, { id }, now) {
    await trx
      .updateTable('replication_run')
      .set({ state: 'CANCELLED', finished_at: now })
      .where('id', '=', id)
      .execute()
    await trx.deleteFrom('replication_run_blob').where('run_id', '=', id).execute()
    await trx
      .deleteFrom('replication_item')
      .where('sync', '=', id)
      .where('state', '=', 'WAITING')
      .where('completed_at', 'is', null)
      .execute()
    await trx
      .deleteFrom('replication_tag')
      .where('item_id', 'in', ({ selectFrom }) =>
        selectFrom('replication_item').select('id').where('sync', '=', id).where('state', '=', 'WAITING'),
      )
      .execute()
    await trx
      .updateTable('replication_item')
      .set({ state: 'COMPLETE', due_at: null, sync: null, attempts: 0, failure_code: null, failure_reason: null })
      .where('sync', '=', id)
      .where('state', '=', 'WAITING')
      .execute()
  },
}

function selectRuns(trx: Transaction, { source, destination }: Route, kind: RunKind) {
  return trx
    .selectFrom('replication_run')
    .select('id')
    .where('source_account', '=', source.account)
    .where('source_region', '=', source.region)
    .where('account', '=', destination.account)
    .where('region', '=', destination.region)
    .where('kind', '=', kind)
}

async function requireNone(trx: Transaction, route: Route, kind: RunKind): Promise<void> {
  const underWay = await selectRuns(trx, route, kind).where('state', 'in', ['RUNNING', 'PAUSED']).executeTakeFirst()
  if (underWay !== undefined) {
    throw refuse('ReplicationRunUnderWay', { id: underWay.id, kind, destination: route.destination })
  }
}

async function forgetOld(trx: Transaction, route: Route, kind: RunKind): Promise<void> {
  const last = await selectRuns(trx, route, kind)
    .orderBy('id', 'desc')
    .offset(mostEarlier - 1)
    .limit(1)
    .executeTakeFirst()
  if (last === undefined) return
  const old = await selectRuns(trx, route, kind).where('id', '<', last.id).execute()
  for (const { id } of old) await trx.deleteFrom('replication_run').where('id', '=', id).execute()
}

async function insert(
  trx: Transaction,
  { source, destination }: Route,
  { kind, request, by, at }: { readonly kind: RunKind; readonly request: RunRequest; readonly by: string; at: number },
): Promise<number> {
  const { id } = await trx
    .insertInto('replication_run')
    .values({
      ...{ source_account: source.account, source_region: source.region, ...destination, kind, state: 'RUNNING' },
      ...{ request: JSON.stringify(request), requested_by: by, created_at: at, finished_at: null },
      ...{ after_repository: '', after_digest: '', listed_at: null, counts: JSON.stringify(noCounts) },
      last_error: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}
