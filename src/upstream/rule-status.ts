import type { Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { CacheRuleStatusTable } from '#metadata/schema/upstream.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'

/**
 * How requests to the upstream of each rule went last, over all processes. Noted in memory and written in batches, so that a pull waits
 * for no commit. A crash loses the last batch.
 */
export interface RuleStatuses extends WriteBehind {
  succeeded(rule: RuleKey): void
  failed(rule: RuleKey, failure: Omit<UpstreamFailure, 'at'>): void
  limited(rule: RuleKey, limit: Omit<UpstreamLimit, 'at'>): void
}

export interface RuleKey {
  readonly registry: Registry
  readonly prefix: RepositoryPrefix
}

/** Times are milliseconds since the epoch. */
export interface RuleStatus {
  readonly succeededAt: number | undefined
  readonly failure: UpstreamFailure | undefined
  readonly limit: UpstreamLimit | undefined
}

export interface UpstreamFailure {
  readonly at: number
  /** A word for programs, such as `unreachable`. */
  readonly code: string
  /** For people, without secrets and internal addresses. */
  readonly reason: string
}

/** What an upstream said of its rate limit. */
export interface UpstreamLimit {
  readonly at: number
  readonly remaining: number
  /** How many requests a window of time has. */
  readonly requests?: number | undefined
  readonly windowSeconds?: number | undefined
}

type Columns = Partial<Omit<Selectable<CacheRuleStatusTable>, 'account' | 'region' | 'prefix'>>

const batchMs = 5_000
/** More of a reason is cut off. */
const mostCharacters = 500

export function createRuleStatuses({
  metadata,
  clock,
  onError,
}: {
  metadata: Metadata
  clock: Clock
  onError: (error: unknown) => void
}): RuleStatuses {
  let noted = new Map<string, { readonly rule: RuleKey; readonly columns: Columns }>()

  function note(rule: RuleKey, columns: Columns): void {
    const { account, region } = rule.registry
    const key = `${account} ${region} ${rule.prefix}`
    noted.set(key, { rule, columns: { ...noted.get(key)?.columns, ...columns } })
  }

  async function write(): Promise<void> {
    if (noted.size === 0) return
    // In one order, so that two processes cannot wait for one another's rows.
    const batch = [...noted].sort(([a], [b]) => (a < b ? -1 : 1))
    noted = new Map()
    await metadata.transaction(async (trx) => {
      for (const [, { rule, columns }] of batch) await writeStatus(trx, rule, columns)
    })
  }

  return {
    ...createWriteBehind({ everyMs: batchMs, write, onError }),
    succeeded: (rule) => note(rule, { succeeded_at: clock() }),
    failed: (rule, { code, reason }) =>
      note(rule, { failed_at: clock(), failure_code: code, failure_reason: reason.slice(0, mostCharacters) }),
    limited: (rule, { remaining, requests = null, windowSeconds = null }) =>
      note(rule, {
        ...{ limit_remaining: remaining, limit_requests: requests },
        ...{ limit_window_seconds: windowSeconds, limit_read_at: clock() },
      }),
  }
}

/** Of a rule that is there. */
async function writeStatus(trx: Transaction, { registry, prefix }: RuleKey, columns: Columns): Promise<void> {
  const { account, region } = registry
  await trx
    .insertInto('cache_rule_status')
    .columns(['account', 'region', 'prefix'])
    .expression((eb) =>
      eb
        .selectFrom('pull_through_cache_rule')
        .select(['account', 'region', 'prefix'])
        .where('account', '=', account)
        .where('region', '=', region)
        .where('prefix', '=', prefix),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await trx
    .updateTable('cache_rule_status')
    .set(columns)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('prefix', '=', prefix)
    .execute()
}

export async function readRuleStatus(reader: Reader, { registry, prefix }: RuleKey): Promise<RuleStatus> {
  const row = await reader
    .selectFrom('cache_rule_status')
    .selectAll()
    .where('account', '=', registry.account)
    .where('region', '=', registry.region)
    .where('prefix', '=', prefix)
    .executeTakeFirst()
  return { succeededAt: row?.succeeded_at ?? undefined, failure: row && failureOf(row), limit: row && limitOf(row) }
}

function failureOf({ failed_at, failure_code, failure_reason }: Selectable<CacheRuleStatusTable>) {
  if (failed_at === null) return undefined
  return { at: failed_at, code: failure_code ?? '', reason: failure_reason ?? '' }
}

function limitOf(row: Selectable<CacheRuleStatusTable>): UpstreamLimit | undefined {
  if (row.limit_remaining === null || row.limit_read_at === null) return undefined
  return {
    ...{ at: row.limit_read_at, remaining: row.limit_remaining },
    ...{ requests: row.limit_requests ?? undefined, windowSeconds: row.limit_window_seconds ?? undefined },
  }
}

/** What is known of all rules, for metrics. */
export const upstreamGauges = [
  {
    name: 'lading_upstream_failing',
    help: 'Whether the last request to the upstream of a rule failed: 1, or else 0.',
    labelNames: ['account', 'region', 'prefix', 'upstream'],
    read: (reader: Reader) =>
      readSamples(reader, ({ failed_at, succeeded_at }) =>
        failed_at !== null && failed_at > (succeeded_at ?? 0) ? 1 : 0,
      ),
  },
  {
    name: 'lading_upstream_rate_limit_remaining',
    help: 'Requests that the rate limit of an upstream had left when the upstream last said so.',
    labelNames: ['account', 'region', 'prefix', 'upstream'],
    read: (reader: Reader) => readSamples(reader, ({ limit_remaining }) => limit_remaining ?? undefined),
  },
] as const

async function readSamples(reader: Reader, valueIn: (row: Selectable<CacheRuleStatusTable>) => number | undefined) {
  const rows = await reader
    .selectFrom('cache_rule_status as status')
    .innerJoin('pull_through_cache_rule as rule', (join) =>
      join
        .onRef('rule.account', '=', 'status.account')
        .onRef('rule.region', '=', 'status.region')
        .onRef('rule.prefix', '=', 'status.prefix'),
    )
    .selectAll('status')
    .select('rule.upstream_url')
    .execute()
  return rows.flatMap((row) => {
    const value = valueIn(row)
    const { account, region, prefix, upstream_url: upstream } = row
    return value === undefined ? [] : [{ labels: { account, region, prefix, upstream }, value }]
  })
}
