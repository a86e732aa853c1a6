import { type SqlBool, sql } from 'kysely'

/** A page of identities, by name without regard to case, from below a path. */
export interface IdentityListing {
  /** `/` for all. */
  readonly pathPrefix: string
  readonly limit: number
  /** The name, in lower case, of the last one of an earlier page. */
  readonly after?: string | undefined
}

/** Whether a row's `path` begins with the prefix, in which `%` and `_` stand for themselves. */
export function underPath(prefix: string) {
  return sql<SqlBool>`substr(path, 1, ${prefix.length}) = ${prefix}`
}
