import type { Selectable } from 'kysely'
import type { Reader } from '#metadata/metadata.ts'
import type { ReplicationRunTable } from '#metadata/schema/replication-runs.ts'
import type { Registry } from '#names/registry.ts'
import type { Route } from '#replication/queue.ts'

/**
 * A walk over the images that a registry has, for one destination. `sync` sends what is missing there, `dry-run` counts it, and `verify`
 * reports what differs. A job does it in pages. Times are milliseconds since the epoch.
 */
export interface Run extends Route {
  readonly id: number
  readonly kind: RunKind
  readonly state: RunState
  readonly request: RunRequest
  /** The ARN of the principal. */
  readonly requestedBy: string
  readonly createdAt: number
  readonly finishedAt: number | undefined
  readonly after: Place
  /** When the last image was listed. */
  readonly listedAt: number | undefined
  readonly counts: RunCounts
  readonly lastError: string | undefined
}

export type RunKind = 'sync' | 'dry-run' | 'verify'

export type RunState = 'RUNNING' | 'PAUSED' | 'COMPLETE' | 'CANCELLED' | 'FAILED'

export interface RunRequest {
  /** What the names of repositories begin with, one of them; none for every repository. */
  readonly prefixes: readonly string[]
  /** Patterns of which a tag of the image matches one; none for every image. `*` is a wildcard. */
  readonly tagPatterns: readonly string[]
  /** Whether a verification sends what is missing. */
  readonly repair: boolean
  /** Whether images are sent that were there and are gone without a trace, as after a loss of data. */
  readonly includeLost: boolean
}

/** The image after which a run goes on. */
export interface Place {
  readonly repository: string
  readonly digest: string
}

/** Of images, unless their names say tags. */
export interface RunCounts {
  readonly listed: number
  readonly present: number
  /** Those that the run sends, or would send. */
  readonly toSend: number
  readonly waiting: number
  readonly failed: number
  readonly missing: number
  readonly deleted: number
  readonly lost: number
  readonly tagsMissing: number
  readonly tagsDiffering: number
  readonly tagsDeleted: number
  /** Findings beyond the most that are kept. */
  readonly findingsDropped: number
  /** Bytes of blobs that a dry run found missing. */
  readonly bytes: number
}

export const noCounts: RunCounts = {
  ...{ listed: 0, present: 0, toSend: 0, waiting: 0, failed: 0, missing: 0, deleted: 0, lost: 0 },
  ...{ tagsMissing: 0, tagsDiffering: 0, tagsDeleted: 0, findingsDropped: 0, bytes: 0 },
}

export function addCounts(counts: RunCounts, more: Partial<RunCounts>): RunCounts {
  const names = Object.keys(noCounts) as (keyof RunCounts)[]
  const sums = names.map((name) => [name, counts[name] + (more[name] ?? 0)])
  // One entry for each name.
  return Object.fromEntries(sums) as RunCounts
}

export function isUnfinished({ state }: Pick<Run, 'state'>): boolean {
  return state === 'RUNNING' || state === 'PAUSED'
}

/** Whether it writes items. */
export function doesSend({ kind, request }: Pick<Run, 'kind' | 'request'>): boolean {
  return kind === 'sync' || (kind === 'verify' && request.repair)
}

export async function findRun(reader: Reader, id: number): Promise<Run | undefined> {
  const row = await reader.selectFrom('replication_run').selectAll().where('id', '=', id).executeTakeFirst()
  return row && parseRun(row)
}

export function parseRun(row: Selectable<ReplicationRunTable>): Run {
  return {
    ...{ id: row.id, kind: row.kind as RunKind, state: row.state as RunState },
    // This room alone writes these columns, after it has parsed what they hold.
    source: { account: row.source_account, region: row.source_region } as Registry,
    destination: { account: row.account, region: row.region } as Registry,
    request: JSON.parse(row.request) as RunRequest,
    ...{ requestedBy: row.requested_by, createdAt: row.created_at, finishedAt: row.finished_at ?? undefined },
    after: { repository: row.after_repository, digest: row.after_digest },
    listedAt: row.listed_at ?? undefined,
    counts: JSON.parse(row.counts) as RunCounts,
    lastError: row.last_error ?? undefined,
  }
}

/** Attempts after which a run does not wait for an image any more. */
const mostAttempts = 5

export interface RunItems {
  readonly waiting: number
  /** Refused, or tried several times in vain. */
  readonly failed: number
}

/** What is still to be sent of what a run asked for. */
export async function countItems(reader: Reader, runId: number): Promise<RunItems> {
  const rows = await reader
    .selectFrom('replication_item')
    .select(({ fn, eb }) => [
      fn.countAll<number>().as('items'),
      fn
        .sum<number>(
          eb
            .case()
            .when(eb.and([eb('state', '=', 'WAITING'), eb('attempts', '<', mostAttempts)]))
            .then(1)
            .else(0)
            .end(),
        )
        .as('waiting'),
    ])
    .where('sync', '=', runId)
    .where('state', 'in', ['WAITING', 'FAILED'])
    .executeTakeFirstOrThrow()
  const waiting = Number(rows.waiting ?? 0)
  return { waiting, failed: Number(rows.items) - waiting }
}
