import type { IncomingHttpHeaders } from 'node:http'
import type { Digest } from '#names/digest.ts'
import { refuse } from './refusals.ts'

/** Conditions of a GET or HEAD on content (RFC 9110 section 13). Its entity tag is its digest, since content never changes under it. */

export function etagOf(digest: Digest): string {
  return `"${digest}"`
}

/**
 * Whether the client has the content already, so that the answer is 304. Older clients send a digest without quotes.
 *
 * @throws Refusal `PreconditionFailed` if the client wants other content alone
 */
export function isNotModified(headers: IncomingHttpHeaders, digest: Digest): boolean {
  const match = headers['if-match']
  if (match !== undefined && !tagsOf(match).some((tag) => tag === '*' || bare(tag) === digest)) {
    throw refuse('PreconditionFailed', { digest })
  }
  const noneMatch = headers['if-none-match']
  if (noneMatch === undefined) return false
  // Weak tags count here, and not for If-Match.
  return tagsOf(noneMatch).some((tag) => tag === '*' || bare(tag.replace(/^W\//, '')) === digest)
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}

function bare(tag: string): string {
  return tag.replace(/^"(.*)"$/, '$1')
}
