import type { Selectable } from 'kysely'
import type { TagTable } from '#metadata/schema/registry.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'

/** Where a replicated tag comes from. */
export interface TagSource {
  readonly registry: Registry
  /** When it was pushed there. Milliseconds since the epoch, by the clock of the source. */
  readonly pushedAt: number
}

type SourceColumns = Pick<Selectable<TagTable>, 'source_account' | 'source_region' | 'source_pushed_at'>

export function sourceColumns(source: TagSource | undefined): SourceColumns {
  if (source === undefined) return { source_account: null, source_region: null, source_pushed_at: null }
  const { registry, pushedAt } = source
  return { source_account: registry.account, source_region: registry.region, source_pushed_at: pushedAt }
}

/** When a tag counts against pushes of other registries. */
export function countsAt(row: Pick<Selectable<TagTable>, 'moved_at' | 'source_pushed_at'>): number {
  return row.source_pushed_at ?? row.moved_at
}

/** `undefined` for what did not come by replication. */
export function parseSource(row: Pick<SourceColumns, 'source_account' | 'source_region'>): Registry | undefined {
  const { source_account: account, source_region: region } = row
  return account === null || region === null
    ? undefined
    : { account: parseAccountId(account), region: parseRegion(region) }
}
