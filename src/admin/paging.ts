import { parsePageToken, printPageToken } from '#lib/page.ts'
import { refuse } from './refusals.ts'

const usualLimit = 100

/** The page that a request asks for. */
export interface OpenPage {
  readonly limit: number
  /** The key that the earlier page ended with. */
  readonly after: readonly string[] | undefined
  /** The `nextToken` of the answer, given the key that this page ends with if there is another one. */
  nextToken(key: readonly string[] | undefined): string | undefined
}

/**
 * Reads a request's paging. `scope` says what is listed: a token is good for that listing alone. A listing's key is of as many texts
 * as `length` says.
 *
 * @throws Refusal `PageTokenInvalid`
 */
export function openPage(
  { nextToken, maxResults }: { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined },
  scope: readonly unknown[],
  length: number,
): OpenPage {
  const after = nextToken === undefined ? undefined : parsePageToken(scope, nextToken, length)
  if (nextToken !== undefined && after === undefined) throw refuse('PageTokenInvalid', {})
  return { limit: maxResults ?? usualLimit, after, nextToken: (key) => key && printPageToken(scope, key) }
}
