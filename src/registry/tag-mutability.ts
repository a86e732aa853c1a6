import { matchesGlob, parseStars } from '#lib/glob.ts'
import type { Tag } from '#names/tag.ts'
import { refuse } from './refusals.ts'

/** ECR's four modes (user guide, "Preventing image tags from being overwritten"). */
export type TagMutabilityMode = 'MUTABLE' | 'IMMUTABLE' | 'MUTABLE_WITH_EXCLUSION' | 'IMMUTABLE_WITH_EXCLUSION'

/** Whether tags may move, and the wildcard filters of those that are the exception. */
export interface TagMutability {
  readonly mode: TagMutabilityMode
  readonly exclusions: readonly string[]
}

/** Imposed by ECR on each filter. */
const mostWildcards = 2

/**
 * Checks that mode and filters belong together.
 *
 * @throws Refusal `TagMutabilityFiltersMismatch`, `TagMutabilityFilterInvalid`
 */
export function parseTagMutability(mode: TagMutabilityMode, exclusions: readonly string[] | undefined): TagMutability {
  const given = exclusions !== undefined && exclusions.length > 0
  if (given !== mode.endsWith('_WITH_EXCLUSION')) throw refuse('TagMutabilityFiltersMismatch', { mode, given })
  for (const filter of exclusions ?? []) {
    if (filter.split('*').length - 1 > mostWildcards) throw refuse('TagMutabilityFilterInvalid', { filter })
  }
  return { mode, exclusions: exclusions ?? [] }
}

/** Whether this tag, once it points to an image, may not be moved to another. */
export function isImmutable({ mode, exclusions }: TagMutability, tag: Tag): boolean {
  const immutable = mode.startsWith('IMMUTABLE')
  return exclusions.some((filter) => matchesGlob(parseStars(filter), tag)) ? !immutable : immutable
}
