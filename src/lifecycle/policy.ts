import { invalidPolicy } from './refusals.ts'
import { type ActionType, type CountType, readRules, type StorageClass, type WrittenRule } from './schema.ts'

/** Lifecycle policies: texts in, rules out, or a refusal that says which constraint of ECR's does not hold. */
export interface LifecyclePolicy {
  /** By priority, the lowest number first. */
  readonly rules: readonly LifecycleRule[]
}

export interface LifecycleRule {
  readonly priority: number
  /** For people. */
  readonly description?: string
  readonly tags: TagSelection
  readonly storageClass: StorageClass
  readonly countType: CountType
  /** Images to keep, or days. */
  readonly countNumber: number
  /** What is done to those beyond it; a transition is one to the archive. */
  readonly action: ActionType
}

/** Which images by their tags. Each entry of a list must be met, by whichever tag. */
export type TagSelection =
  | { readonly status: 'any' | 'untagged' }
  | { readonly status: 'tagged'; readonly by: 'prefix' | 'pattern'; readonly entries: readonly string[] }

/** ECR user guide, "Lifecycle policy properties": in one pattern. */
const mostWildcards = 4
/** ECR user guide, "Archiving an image": days that an image stays in the archive at least. */
const leastArchivedDays = 90

/**
 * All constraints of the grammar but the bounds of the text's length, which the API model states. `mostRules` is the quota for a
 * policy that is given; one that is kept is read whatever the quota has become.
 *
 * @throws Refusal `LifecyclePolicyInvalid`
 */
export function parseLifecyclePolicy(text: string, mostRules = Number.POSITIVE_INFINITY): LifecyclePolicy {
  const rules = readRules(text, mostRules)
    .map(readMeaning)
    .sort((a, b) => a.priority - b.priority)
  requireDistinctPriorities(rules)
  requireDistinctSelections(rules)
  return { rules }
}

function readMeaning(rule: WrittenRule): LifecycleRule {
  const { priority, description, storageClass, countType, countNumber, action } = rule
  const tags = readTags(rule)
  const transitioned = countType === 'sinceImageTransitioned'
  requireEqual('storage class', countType, storageClass, transitioned ? 'archive' : 'standard')
  if (transitioned) requireEqual('action', countType, action, 'expire')
  if (countType === 'sinceImagePulled') requireEqual('action', countType, action, 'transition')
  if (transitioned && countNumber < leastArchivedDays) {
    throw invalidPolicy({ problem: 'number too small', least: leastArchivedDays, found: countNumber })
  }
  return {
    priority,
    ...(description !== undefined && { description }),
    tags,
    storageClass,
    countType,
    countNumber,
    action,
  }
}

function requireEqual(problem: 'storage class' | 'action', countType: string, found: string, wanted: string): void {
  if (found !== wanted) throw invalidPolicy({ problem, countType, wanted })
}

/** An empty list is as good as none. */
function readTags({ tagStatus: status, prefixes, patterns }: WrittenRule): TagSelection {
  const given = prefixes.length + patterns.length > 0
  if (status !== 'tagged') {
    if (given) throw invalidPolicy({ problem: 'tags unexpected' })
    return { status }
  }
  if (!given) throw invalidPolicy({ problem: 'tags missing' })
  if (patterns.length === 0) return { status, by: 'prefix', entries: distinct(prefixes) }
  if (prefixes.length > 0) throw invalidPolicy({ problem: 'tags ambiguous' })
  for (const pattern of patterns) {
    if (pattern.split('*').length - 1 > mostWildcards) {
      throw invalidPolicy({ problem: 'wildcards', pattern, most: mostWildcards })
    }
  }
  return { status, by: 'pattern', entries: distinct(patterns) }
}

/** In one order, so that lists which ask for the same are equal. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1))
}

/** `rules` by priority. */
function requireDistinctPriorities(rules: readonly LifecycleRule[]): void {
  for (const [index, { priority }] of rules.entries()) {
    if (rules[index + 1]?.priority === priority) throw invalidPolicy({ problem: 'priority repeated', priority })
  }
}

/**
 * Of one storage class no two rules select by the same tags, and the one for any tags comes last: whatever came after it could
 * select nothing. `rules` by priority.
 */
function requireDistinctSelections(rules: readonly LifecycleRule[]): void {
  const seen = new Map<string, number>()
  const closed = new Set<StorageClass>()
  for (const { priority, storageClass, tags } of rules) {
    if (closed.has(storageClass)) throw invalidPolicy({ problem: 'any not last' })
    if (tags.status === 'any') closed.add(storageClass)
    const selection = JSON.stringify([storageClass, tags])
    const earlier = seen.get(selection)
    if (earlier !== undefined) {
      throw invalidPolicy(
        tags.status === 'untagged'
          ? { problem: 'untagged repeated' }
          : { problem: 'tags repeated', priorities: [earlier, priority] },
      )
    }
    seen.set(selection, priority)
  }
}
