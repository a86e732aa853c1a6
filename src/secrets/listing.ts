import { type Page, pageOf } from '#lib/page.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import { type FilteredSecret, matchesAll, type SecretFilter } from './filters.ts'
import { parseSecret, readStages, type Secret, selectSecrets } from './secret-rows.ts'
import type { Stages } from './stages.ts'

/** Lists of secrets. A registry has some hundred, so that all are read, and then filtered and sorted. */
export interface SecretQuery {
  readonly filters: readonly SecretFilter[]
  readonly sortBy: SecretOrder
  readonly descending: boolean
  /** Whether secrets that are scheduled for deletion are listed. */
  readonly scheduled: boolean
  readonly limit: number
  /** The key of an earlier page. */
  readonly after: ListingKey | undefined
}

export type SecretOrder = 'name' | 'createdAt' | 'changedAt' | 'accessedAt'

/** What the list is sorted by, and the name, which is the order among equals. */
export interface ListingKey {
  readonly value: string | number
  readonly name: string
}

export type ListedSecret = Secret & { readonly stages: Stages }

export type ListSecrets = (registry: Registry, query: SecretQuery) => Promise<Page<ListedSecret, ListingKey>>

export function createListSecrets({ reader }: { readonly reader: Reader }): ListSecrets {
  return async (registry, query) => {
    const { filters, sortBy, descending, scheduled, limit, after } = query
    const rows = await selectSecrets(reader, registry)
      .$if(!scheduled, (select) => select.where('deleted_at', 'is', null))
      .execute()
    const keyOf = (secret: Secret): ListingKey => ({ value: secret[sortBy] ?? 0, name: secret.name })
    const sign = descending ? -1 : 1
    const compare = (a: ListingKey, b: ListingKey) => sign * (order(a.value, b.value) || order(a.name, b.name))
    const ids = new Map(rows.map(({ name, id }) => [name, id]))
    const found = rows
      .map(parseSecret)
      .filter((secret) => matchesAll(filters, filtered(secret)))
      .filter((secret) => after === undefined || compare(keyOf(secret), after) > 0)
      .sort((a, b) => compare(keyOf(a), keyOf(b)))
    const { items, ...next } = pageOf(found.slice(0, limit + 1), limit, keyOf)
    const stages = await readStages(
      reader,
      items.map(({ name }) => ids.get(name) ?? 0),
    )
    return {
      ...next,
      items: items.map((secret) => ({ ...secret, stages: stages.get(ids.get(secret.name) ?? 0) ?? new Map() })),
    }
  }
}

function filtered({ name, description = '', tags }: Secret): FilteredSecret {
  return { name, description, tagKeys: Object.keys(tags), tagValues: Object.values(tags) }
}

function order(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
