import { AwsError } from '#aws/aws-error.ts'
import { parsePageToken, printPageToken } from '#lib/page.ts'

/** IAM's paging, one way for all its listings: `MaxItems` of 100 by default, and an opaque `Marker`. */
export interface PagedInput {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

/** The page that a request asks for. */
export interface OpenPage {
  readonly limit: number
  /** The key that the earlier page ended with. */
  readonly after: readonly string[] | undefined
  /** What the answer says of the next page, given the key that this one ends with if there is another one. */
  next(key: readonly string[] | undefined): { readonly IsTruncated: boolean; readonly Marker?: string }
}

const defaultLimit = 100

/**
 * Reads a request's paging. `scope` says what is listed: a marker is good for that listing alone. `grammars` say of each text of
 * the listing's key what it may be, since a marker comes back from the client.
 *
 * @throws AwsError `ValidationError`
 */
export function openPage(
  { Marker, MaxItems = defaultLimit }: PagedInput,
  scope: readonly unknown[],
  grammars: readonly ((text: string) => boolean)[] = [isPrintable],
): OpenPage {
  const after = Marker === undefined ? undefined : parsePageToken(scope, Marker, grammars.length)
  if (Marker !== undefined && !after?.every((text, index) => grammars[index]?.(text))) {
    throw new AwsError('ValidationError', 'Invalid Marker.')
  }
  return {
    limit: MaxItems,
    after,
    next: (key) =>
      key === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: printPageToken(scope, key) },
  }
}

/** Names, paths and ARNs hold nothing else (IAM API reference). */
export function isPrintable(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}
