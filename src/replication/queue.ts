import { sql } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import type { ReplicatedTag, ReplicationCause, ReplicationItem } from './item.ts'

/** What is to be copied where. The rows of `replication_item` are the durable work. */
export interface Queued {
  readonly repositoryId: number
  readonly source: Registry
  readonly destination: Registry
  readonly digest: Digest
  readonly cause: ReplicationCause
  /** When it was pushed or restored at the source. An image that waits for an earlier push keeps the earlier time. */
  readonly pushedAt: number
  readonly tags: readonly ReplicatedTag[]
  /** The back-fill that asks for it. */
  readonly sync?: number
}

/** Pushes go before what is filled in later. */
const priorities: Record<ReplicationCause, number> = { push: 0, restore: 0, sync: 1, repair: 1 }
/** In the order of attempts. Queries name each, so that they read what is due alone, however much waits for a later time. */
const everyPriority = [...new Set(Object.values(priorities))].sort((a, b) => a - b)

/** Asks for a copy, in the transaction of what makes it necessary. An image that is on its way already takes the further tags along. */
export async function queueItem(trx: Transaction, queued: Queued, now: number): Promise<void> {
  const { repositoryId, source, destination, digest, cause, pushedAt, tags, sync = null } = queued
  const pair = { source_account: source.account, source_region: source.region, ...destination }
  const begun = { state: 'WAITING', due_at: now, attempts: 0, failure_code: null, failure_reason: null }
  const priority = priorities[cause]
  const { id } = await trx
    .insertInto('replication_item')
    .values({
      ...{ repository_id: repositoryId, digest, ...pair, ...begun },
      ...{ cause, priority, pushed_at: pushedAt, completed_at: null, revision: 1, sync },
    })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'digest', 'account', 'region']).doUpdateSet({
        ...begun,
        ...{ cause, sync },
        // The destination is behind by the first push that it does not have.
        pushed_at: sql`case when replication_item.state <> 'COMPLETE' and replication_item.priority = ${priorities.push}
          and replication_item.pushed_at < ${pushedAt} then replication_item.pushed_at else ${pushedAt} end`,
        revision: sql`replication_item.revision + 1`,
        priority: sql`case when replication_item.due_at is not null and replication_item.priority < ${priority}
          then replication_item.priority else ${priority} end`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  for (const { tag, pushedAt: at } of tags) {
    await trx
      .insertInto('replication_tag')
      .values({ item_id: id, tag, pushed_at: at })
      .onConflict((conflict) => conflict.columns(['item_id', 'tag']).doUpdateSet({ pushed_at: at }))
      .execute()
  }
  await trx
    .insertInto('replication_destination')
    .values(pair)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** From one registry to another. */
export interface Route {
  readonly source: Registry
  readonly destination: Registry
}

/** Those for which something is due and may be tried. */
export async function findDueRoutes(reader: Reader, now: number): Promise<Route[]> {
  const rows = await reader
    .selectFrom('replication_destination as route')
    .select(['source_account', 'source_region', 'account', 'region'])
    .where('next_at', '<=', now)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('replication_item as item')
          .select('item.id')
          .whereRef('item.source_account', '=', 'route.source_account')
          .whereRef('item.source_region', '=', 'route.source_region')
          .whereRef('item.account', '=', 'route.account')
          .whereRef('item.region', '=', 'route.region')
          .where('item.priority', 'in', everyPriority)
          .where('item.due_at', '<=', now),
      ),
    )
    .execute()
  // Both were parsed when they were stored.
  return rows.map(({ source_account, source_region, account, region }) => ({
    source: { account: source_account, region: source_region } as Registry,
    destination: { account, region } as Registry,
  }))
}

/** When a route may next be tried. */
export async function findNextAt(reader: Reader, route: Route): Promise<number> {
  const row = await selectRoute(reader, route).select('next_at').executeTakeFirst()
  return row?.next_at ?? 0
}

export function selectRoute(reader: Reader, { source, destination }: Route) {
  return reader
    .selectFrom('replication_destination')
    .where('source_account', '=', source.account)
    .where('source_region', '=', source.region)
    .where('account', '=', destination.account)
    .where('region', '=', destination.region)
}

interface DueItems {
  readonly limit: number
  readonly except: ReadonlySet<number>
  readonly now: number
}

/** What is due on a route, pushes first. */
export async function findDueItems(reader: Reader, route: Route, due: DueItems): Promise<ReplicationItem[]> {
  const { source, destination } = route
  const rows: Awaited<ReturnType<typeof findDueRows>> = []
  for (const priority of everyPriority) {
    if (rows.length < due.limit)
      rows.push(...(await findDueRows(reader, route, priority, { ...due, limit: due.limit - rows.length })))
  }
  const tags = await findTags(
    reader,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({
    ...{ id: row.id, repositoryId: row.repository_id, digest: parseDigest(row.digest), destination },
    source: { registry: source, name: parseRepositoryName(row.name) },
    // Written by `queueItem`.
    cause: row.cause as ReplicationCause,
    ...{ pushedAt: row.pushed_at, revision: row.revision, attempts: row.attempts, hasFailed: row.state === 'FAILED' },
    tags: tags.get(row.id) ?? [],
  }))
}

function findDueRows(
  reader: Reader,
  { source, destination }: Route,
  priority: number,
  { limit, except, now }: DueItems,
) {
  return reader
    .selectFrom('replication_item as item')
    .innerJoin('repository', 'repository.id', 'item.repository_id')
    .select(['item.id', 'item.repository_id', 'item.digest', 'item.cause', 'item.pushed_at', 'item.revision'])
    .select(['item.attempts', 'item.state', 'repository.name'])
    .where('item.source_account', '=', source.account)
    .where('item.source_region', '=', source.region)
    .where('item.account', '=', destination.account)
    .where('item.region', '=', destination.region)
    .where('item.priority', '=', priority)
    .where('item.due_at', '<=', now)
    .$if(except.size > 0, (query) => query.where('item.id', 'not in', [...except]))
    .orderBy('item.due_at')
    .orderBy('item.id')
    .limit(limit)
    .execute()
}

/** Those that no attempt settled. */
export async function findStillDue(
  reader: Reader,
  items: readonly ReplicationItem[],
  now: number,
): Promise<readonly ReplicationItem[]> {
  if (items.length === 0) return []
  const rows = await reader
    .selectFrom('replication_item')
    .select(['id', 'revision'])
    .where(
      'id',
      'in',
      items.map(({ id }) => id),
    )
    .where('due_at', '<=', now)
    .execute()
  const due = new Map(rows.map(({ id, revision }) => [id, revision]))
  return items.filter(({ id, revision }) => due.get(id) === revision)
}

async function findTags(reader: Reader, ids: readonly number[]): Promise<ReadonlyMap<number, ReplicatedTag[]>> {
  const found = new Map<number, ReplicatedTag[]>()
  if (ids.length === 0) return found
  const rows = await reader
    .selectFrom('replication_tag')
    .selectAll()
    .where('item_id', 'in', [...ids])
    .orderBy('pushed_at')
    .orderBy('tag')
    .execute()
  for (const { item_id, tag, pushed_at } of rows) {
    const tags = found.get(item_id) ?? []
    tags.push({ tag: parseTag(tag), pushedAt: pushed_at })
    found.set(item_id, tags)
  }
  return found
}
