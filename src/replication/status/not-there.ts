import { sql } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import type { ReplicationCause } from '#replication/item.ts'

/** The images that a destination does not have, or not with all their tags. Times are milliseconds since the epoch. */
export interface NotThere {
  readonly destination: Registry
  readonly repository: RepositoryName
  readonly digest: Digest
  /** Those that do not point to it there yet. */
  readonly tags: readonly Tag[]
  readonly state: NotThereState
  readonly cause: ReplicationCause
  readonly pushedAt: number
  readonly attempts: number
  /** Undefined while its back-fill is paused. */
  readonly nextAttemptAt: number | undefined
  readonly failure: { readonly code: string; readonly reason: string } | undefined
}

export type NotThereState = 'WAITING' | 'FAILED'

/** By destination and state, pushes first, the oldest first. */
export type NotThereKey = readonly [
  account: string,
  region: string,
  state: string,
  priority: number,
  pushedAt: number,
  id: number,
]

export interface NotThereFilter {
  readonly destination: Registry | undefined
  readonly state: NotThereState | undefined
}

export interface NotThereLists {
  list(
    source: Registry,
    filter: NotThereFilter,
    page: { readonly limit: number; readonly after: NotThereKey | undefined },
  ): Promise<Page<NotThere, NotThereKey>>
}

export function createNotThereLists({ metadata: { reader } }: { metadata: Pick<Metadata, 'reader'> }): NotThereLists {
  return {
    async list(source, { destination, state }, { limit, after }) {
      const rows = await reader
        .selectFrom('replication_item as item')
        .innerJoin('repository', 'repository.id', 'item.repository_id')
        .selectAll('item')
        .select('repository.name')
        .where('item.source_account', '=', source.account)
        .where('item.source_region', '=', source.region)
        .where('item.state', '<>', sql.lit('COMPLETE'))
        .$if(destination !== undefined, (query) =>
          query
            .where('item.account', '=', destination?.account ?? '')
            .where('item.region', '=', destination?.region ?? ''),
        )
        .$if(state !== undefined, (query) => query.where('item.state', '=', state ?? ''))
        .$if(after !== undefined, (query) =>
          query.where(
            sql<boolean>`(item.account, item.region, item.state, item.priority, item.pushed_at, item.id) > (${sql.join([...(after ?? [])])})`,
          ),
        )
        .orderBy('item.account')
        .orderBy('item.region')
        .orderBy('item.state')
        .orderBy('item.priority')
        .orderBy('item.pushed_at')
        .orderBy('item.id')
        .limit(limit + 1)
        .execute()
      const { items, next } = pageOf(
        rows,
        limit,
        (row): NotThereKey => [row.account, row.region, row.state, row.priority, row.pushed_at, row.id],
      )
      const tags = await findTags(
        reader,
        items.map(({ id }) => id),
      )
      const page = items.map((row) => ({
        // The room writes these columns after it has parsed what they hold.
        destination: { account: row.account, region: row.region } as Registry,
        ...{ state: row.state as NotThereState, cause: row.cause as ReplicationCause },
        ...{ repository: parseRepositoryName(row.name), digest: parseDigest(row.digest), tags: tags.get(row.id) ?? [] },
        ...{ pushedAt: row.pushed_at, attempts: row.attempts, nextAttemptAt: row.due_at ?? undefined },
        failure: row.failure_code === null ? undefined : { code: row.failure_code, reason: row.failure_reason ?? '' },
      }))
      return next === undefined ? { items: page } : { items: page, next }
    },
  }
}

async function findTags(reader: Reader, ids: readonly number[]): Promise<ReadonlyMap<number, readonly Tag[]>> {
  if (ids.length === 0) return new Map()
  const rows = await reader
    .selectFrom('replication_tag')
    .select(['item_id', 'tag'])
    .where('item_id', 'in', [...ids])
    .orderBy('tag')
    .execute()
  const groups = Map.groupBy(rows, ({ item_id }) => item_id)
  return new Map([...groups].map(([id, group]) => [id, group.map(({ tag }) => parseTag(tag))]))
}
