import { matchesGlob, parseStars } from '#lib/glob.ts'

/**
 * Whether a filter of a scanning rule takes a repository (ECR user guide, "Filters to choose which repositories are scanned").
 * Without `*` the name need only contain it; with one it is about the name as a whole.
 */
export function matchesScanningFilter(filter: string, repository: string): boolean {
  return filter.includes('*') ? matchesGlob(parseStars(filter), repository) : repository.includes(filter)
}
