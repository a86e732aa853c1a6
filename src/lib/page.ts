import { createHash } from 'node:crypto'

/** One page of a listing: what it holds, and the key after which the next one goes on, if there is a next one. */
export interface Page<Item, Key> {
  readonly items: readonly Item[]
  readonly next?: Key
}

/**
 * The page among rows that were asked for with a limit of one more than the page takes: the extra row tells that there is a
 * next page and is left to it. Paging by key stays right while rows come and go.
 */
export function pageOf<Item, Key>(rows: readonly Item[], limit: number, keyOf: (item: Item) => Key): Page<Item, Key> {
  if (rows.length <= limit) return { items: rows }
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return last === undefined ? { items } : { items, next: keyOf(last) }
}

/**
 * Opaque tokens for the key of the next page. `scope` is what the listing is of (operation, repository, filters): a token is
 * good for the listing that gave it and no other.
 */
export function printPageToken(scope: readonly unknown[], key: readonly string[]): string {
  return Buffer.from(JSON.stringify([scopeHash(scope), ...key])).toString('base64url')
}

/** The key in a token of this scope, `undefined` if it is no such token. `length` is how many texts the key has. */
export function parsePageToken(scope: readonly unknown[], token: string, length: number): string[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(parsed) || parsed.length !== length + 1) return undefined
  const [hash, ...key]: unknown[] = parsed
  // Nobody's key holds a NUL, which PostgreSQL refuses.
  const isPart = (part: unknown): part is string => typeof part === 'string' && !part.includes('\0')
  if (hash !== scopeHash(scope) || !key.every(isPart)) return undefined
  return key
}

function scopeHash(scope: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(scope)).digest('base64url').slice(0, 16)
}
