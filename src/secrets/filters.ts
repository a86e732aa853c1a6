/** Filters of a list of secrets, by Secrets Manager's rules (API reference, Filter). */
export interface SecretFilter {
  readonly key: FilterKey
  /** One of them must match, and none of those that begin with `!` may. */
  readonly values: readonly string[]
}

export type FilterKey = 'description' | 'name' | 'tag-key' | 'tag-value' | 'primary-region' | 'owning-service' | 'all'

export interface FilteredSecret {
  readonly name: string
  readonly description: string
  readonly tagKeys: readonly string[]
  readonly tagValues: readonly string[]
}

export function matchesAll(filters: readonly SecretFilter[], secret: FilteredSecret): boolean {
  return filters.every(({ key, values }) => {
    const wanted = values.filter((value) => !value.startsWith('!'))
    const unwanted = values.filter((value) => value.startsWith('!')).map((value) => value.slice(1))
    const matches = (value: string) => matchers[key](secret, value)
    return (wanted.length === 0 || wanted.some(matches)) && !unwanted.some(matches)
  })
}

/** Each by prefix. Only a description is matched without regard to case. */
const matchers: Readonly<Record<FilterKey, (secret: FilteredSecret, value: string) => boolean>> = {
  name: ({ name }, value) => name.startsWith(value),
  description: ({ description }, value) => description.toLowerCase().startsWith(value.toLowerCase()),
  'tag-key': ({ tagKeys }, value) => tagKeys.some((key) => key.startsWith(value)),
  'tag-value': ({ tagValues }, value) => tagValues.some((text) => text.startsWith(value)),
  // A secret has no replicas, so that no region is its primary one. No service owns secrets here.
  'primary-region': () => false,
  'owning-service': () => false,
  all: ({ name, description, tagKeys, tagValues }, value) => {
    const words = [name, description, ...tagKeys, ...tagValues].join('\n').toLowerCase()
    return value
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .every((word) => words.includes(word))
  },
}
