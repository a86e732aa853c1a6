import { sql } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { isSameRegistry, type Registry } from '#names/registry.ts'
import { readDestinations } from '#replication/named-destinations.ts'
import { type Route, selectRoute } from '#replication/queue.ts'
import { registryText } from '#replication/rules.ts'

/** How replication from a registry to one destination goes. Times are milliseconds since the epoch. */
export interface RouteStatus {
  readonly destination: Registry
  /** Whether a rule still names it. */
  readonly isInRules: boolean
  readonly waiting: number
  readonly failed: number
  /** Of those that wait, images of back-fills that are paused. */
  readonly paused: number
  /** The most frequent first. */
  readonly failures: readonly FailureGroup[]
  /** Of the pushes that are not there, failed ones among them. */
  readonly oldestPushAt: number | undefined
  readonly sentImages: number
  readonly sentBytes: number
  readonly succeededAt: number | undefined
  readonly unreachable: Unreachable | undefined
}

export interface FailureGroup {
  readonly code: string
  readonly reason: string
  readonly images: number
}

export interface Unreachable {
  readonly since: number
  readonly nextAttemptAt: number
  readonly reason: string
}

export interface ReplicationStatuses {
  /** Each destination that a rule names, and each to which images are still on their way. */
  describe(source: Registry): Promise<readonly RouteStatus[]>
}

const mostGroups = 20

export function createReplicationStatuses({
  metadata: { reader },
  clock,
}: {
  readonly metadata: Pick<Metadata, 'reader'>
  readonly clock: Clock
}): ReplicationStatuses {
  return {
    async describe(source) {
      const named = await readDestinations(reader, source)
      const busy = await findBusy(reader, source)
      const all = new Map([...named, ...busy].map((each) => [registryText(each), each]))
      const statuses: RouteStatus[] = []
      for (const [, destination] of [...all].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const isInRules = named.some((each) => isSameRegistry(each, destination))
        statuses.push({ destination, isInRules, ...(await readRoute(reader, { source, destination }, clock())) })
      }
      return statuses
    },
  }
}

async function findBusy(reader: Reader, { account, region }: Registry): Promise<readonly Registry[]> {
  const rows = await reader
    .selectFrom('replication_item')
    .select(['account', 'region'])
    .distinct()
    .where('source_account', '=', account)
    .where('source_region', '=', region)
    .where('state', '<>', sql.lit('COMPLETE'))
    .execute()
  // They were parsed when they were stored.
  return rows.map(({ account: to, region: at }) => ({ account: to, region: at }) as Registry)
}

async function readRoute(
  reader: Reader,
  route: Route,
  now: number,
): Promise<Omit<RouteStatus, 'destination' | 'isInRules'>> {
  const counts = await countItems(reader, route)
  const row = await selectRoute(reader, route).selectAll().executeTakeFirst()
  return {
    ...counts,
    failures: counts.failed === 0 ? [] : await groupFailures(reader, route),
    ...{ sentImages: row?.images ?? 0, sentBytes: row?.bytes ?? 0, succeededAt: row?.succeeded_at ?? undefined },
    unreachable:
      row === undefined || row.unreachable_since === null
        ? undefined
        : {
            ...{ since: row.unreachable_since, nextAttemptAt: Math.max(row.next_at, now) },
            reason: row.last_error ?? '',
          },
  }
}

async function countItems(reader: Reader, route: Route) {
  const rows = await selectNotThere(reader, route)
    .select(({ fn }) => [
      'state',
      'priority',
      fn.countAll<number>().as('images'),
      fn.count<number>('due_at').as('due'),
      fn.min('pushed_at').as('oldest'),
    ])
    .groupBy(['state', 'priority'])
    .execute()
  const sum = (count: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + count(row), 0)
  const pushes = rows.filter(({ priority }) => priority === 0)
  return {
    waiting: sum(({ state, images }) => (state === 'WAITING' ? Number(images) : 0)),
    failed: sum(({ state, images }) => (state === 'FAILED' ? Number(images) : 0)),
    paused: sum(({ images, due }) => Number(images) - Number(due)),
    oldestPushAt: pushes.length === 0 ? undefined : Math.min(...pushes.map(({ oldest }) => Number(oldest))),
  }
}

async function groupFailures(reader: Reader, route: Route): Promise<readonly FailureGroup[]> {
  const rows = await selectNotThere(reader, route)
    .select(({ fn }) => ['failure_code', 'failure_reason', fn.countAll<number>().as('images')])
    .where('state', '=', 'FAILED')
    .groupBy(['failure_code', 'failure_reason'])
    .orderBy('images', 'desc')
    .orderBy('failure_code')
    .orderBy('failure_reason')
    .limit(mostGroups)
    .execute()
  return rows.map(({ failure_code: code, failure_reason: reason, images }) => ({
    ...{ code: code ?? '', reason: reason ?? '', images: Number(images) },
  }))
}

function selectNotThere(reader: Reader, { source, destination }: Route) {
  return reader
    .selectFrom('replication_item')
    .where('source_account', '=', source.account)
    .where('source_region', '=', source.region)
    .where('account', '=', destination.account)
    .where('region', '=', destination.region)
    .where('state', '<>', sql.lit('COMPLETE'))
}
