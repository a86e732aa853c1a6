import { readInSteps } from '#lib/slices.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { type EventEnvelope, orderKey } from './event.ts'
import { eventColumns, parseEvent } from './rows.ts'

/** The published events of a registry, as they are kept. */
export interface EventLog {
  /** In the order of their publication. A page may be short, or empty, and still have a next one: it examines a bounded number of events. */
  list(registry: Registry, query: EventQuery): Promise<EventPage>
  /** The number of the last event of the registry's account; 0 if it keeps none. */
  findLast(registry: Registry): Promise<number>
}

export interface EventQuery {
  /** Events with a higher number. */
  readonly after: number
  /** Events that happened then or later, in milliseconds since the epoch. */
  readonly since?: number | undefined
  readonly detailType?: string | undefined
  readonly repository?: RepositoryName | undefined
  readonly limit: number
}

export interface EventPage {
  readonly events: readonly EventEnvelope[]
  /** The number of the last event that was examined. */
  readonly examined: number
  /** Whether there were more events to examine. */
  readonly hasMore: boolean
}

/** Rows that a list reads before other work runs: on SQLite a statement holds the process. */
const rowsAtOnce = 200
const mostExamined = 5_000
/** An event has some kilobytes, and seldom tens of them. */
const mostBytes = 4 * 1024 * 1024

export function createEventLog({ reader }: { readonly reader: Reader }): EventLog {
  const readFrom = (account: string, after: number, limit: number) =>
    reader
      .selectFrom('event')
      .select(['id', 'sequence', 'region', 'at', 'detail_type', 'order_key', 'bytes'])
      .where('account', '=', account)
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(limit)
      .execute()

  async function read(ids: readonly number[]): Promise<EventEnvelope[]> {
    if (ids.length === 0) return []
    const rows = await reader
      .selectFrom('event')
      .select(eventColumns)
      .where('id', 'in', ids)
      .orderBy('sequence')
      .execute()
    return rows.map((row) => parseEvent(row).envelope)
  }

  return {
    async list(registry, { after, since, detailType, repository, limit }) {
      const key = repository === undefined ? undefined : orderKey(registry, repository)
      const wanted: number[] = []
      let [examined, count, bytes] = [after, 0, 0]
      const page = async (hasMore: boolean) => ({ events: await read(wanted), examined, hasMore })
      const steps = readInSteps<Awaited<ReturnType<typeof readFrom>>[number]>(rowsAtOnce, (last, atOnce) =>
        readFrom(registry.account, last?.sequence ?? after, atOnce),
      )
      for await (const rows of steps) {
        for (const row of rows) {
          if (wanted.length === limit || bytes >= mostBytes || count === mostExamined) return page(true)
          count++
          examined = row.sequence ?? examined
          if (row.region !== registry.region || (since !== undefined && row.at < since)) continue
          if (detailType !== undefined && row.detail_type !== detailType) continue
          if (key !== undefined && row.order_key !== key) continue
          wanted.push(row.id)
          bytes += row.bytes
        }
      }
      return page(false)
    },

    async findLast({ account }) {
      const row = await reader
        .selectFrom('event')
        .select('sequence')
        .where('account', '=', account)
        .where('sequence', 'is not', null)
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row?.sequence ?? 0
    },
  }
}
