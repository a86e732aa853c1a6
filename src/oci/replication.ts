import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '#iam/principal.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { isSameRegistry } from '#names/registry.ts'
import { refuse } from './refusals.ts'

/**
 * How another Lading replicates to this one: by the distribution API, with a header that names the region of the source. The account of the
 * source is that of the caller, so that no caller replicates in the name of another account.
 */
export const sourceRegionHeader = 'lading-source-region'
const pushedAtHeader = 'lading-pushed-at'

/** In place of the actions of a route. */
export const replicationActions = [['ecr:ReplicateImage']] as const

/** The registry that a request replicates from. @throws Refusal `NameInvalid`, `HeaderInvalid` */
export function parseSource(headers: IncomingHttpHeaders, { account }: Principal, destination: Registry): Registry {
  const source = { account, region: parseRegion(textOf(headers[sourceRegionHeader])) }
  if (!isSameRegistry(source, destination)) return source
  throw refuse('HeaderInvalid', { header: 'Lading-Source-Region', expected: 'the region of another registry' })
}

/** When the source had the push. Milliseconds since the epoch. @throws Refusal `HeaderInvalid` */
export function parsePushedAt(headers: IncomingHttpHeaders): number {
  const text = textOf(headers[pushedAtHeader])
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw refuse('HeaderInvalid', { header: 'Lading-Pushed-At', expected: 'a time in milliseconds since 1970' })
}

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}
