import { parsePageToken, printPageToken } from '#lib/page.ts'
import { refuse } from './refusals.ts'

/** ECR's paging, one way for all its listings: `maxResults` of 100 by default, and an opaque `nextToken`. */
interface PagedInput {
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

/** The page that a request asks for. */
export interface OpenPage {
  readonly limit: number
  /** The key that the earlier page ended with: as many texts, by the same grammars, as `openPage` was given. */
  readonly after: readonly string[] | undefined
  /** The `nextToken` of the answer, given the key that this page ends with if there is another one. */
  nextToken(key: readonly string[] | undefined): string | undefined
}

const usualLimit = 100

/**
 * Reads a request's paging. `scope` says what is listed: a token is good for that listing alone. `grammars` say of each text of
 * the listing's key what it may be, since a token comes back from the client.
 *
 * @throws Refusal `ParameterInvalid`
 */
export function openPage(
  { nextToken, maxResults }: PagedInput,
  scope: readonly unknown[],
  grammars: readonly ((text: string) => boolean)[],
  defaultLimit = usualLimit,
): OpenPage {
  const after = nextToken === undefined ? undefined : parsePageToken(scope, nextToken, grammars.length)
  const valid = after?.every((text, index) => grammars[index]?.(text)) ?? false
  if (nextToken !== undefined && !valid) {
    throw refuse('ParameterInvalid', { member: 'NextToken', constraint: 'Invalid next token provided' })
  }
  return {
    limit: maxResults ?? defaultLimit,
    after,
    nextToken: (key) => key && printPageToken(scope, key),
  }
}

/**
 * What is asked for by name is answered whole (API reference, DescribeRepositories, DescribeImages).
 *
 * @throws Refusal `ParameterInvalid`
 */
export function refusePaging(
  input: PagedInput,
  named: 'repositoryNames' | 'imageIds' | 'prefixes' | 'ecrRepositoryPrefixes',
): void {
  for (const member of ['nextToken', 'maxResults'] as const) {
    if (input[member] !== undefined) {
      throw refuse('ParameterInvalid', { member, constraint: `must not be given together with ${named}` })
    }
  }
}
