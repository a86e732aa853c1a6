import { type Place, refuse } from './refusals.ts'

/** A repository's resource tags, as IAM conditions and bills see them. They are no image tags. */
export type ResourceTags = Readonly<Record<string, string>>

export interface ResourceTag {
  readonly key: string
  readonly value: string
}

/** Imposed by ECR (user guide, "Tagging a private repository"). */
const mostTags = 50
const longestKey = 128
const longestValue = 256
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/**
 * The tags that a repository has after these were added to it or overwritten.
 *
 * @throws Refusal `ResourceTagInvalid`, `TooManyResourceTags`
 */
export function withResourceTags(present: ResourceTags, added: readonly ResourceTag[], where: Place): ResourceTags {
  const seen = new Set<string>()
  for (const { key, value } of added) {
    if (key.toLowerCase().startsWith('aws:')) throw refuse('ResourceTagInvalid', { key, problem: 'reserved' })
    if (key === '' || key.length > longestKey || value.length > longestValue) {
      throw refuse('ResourceTagInvalid', { key, problem: 'length' })
    }
    if (!allowed.test(key) || !allowed.test(value)) throw refuse('ResourceTagInvalid', { key, problem: 'characters' })
    if (seen.has(key)) throw refuse('ResourceTagInvalid', { key, problem: 'repeated' })
    seen.add(key)
  }
  // Entries, because a key may be `__proto__`.
  const tags = Object.fromEntries([...Object.entries(present), ...added.map(({ key, value }) => [key, value] as const)])
  if (Object.keys(tags).length > mostTags) throw refuse('TooManyResourceTags', where)
  return tags
}

/** The tags that are left without those of these keys; keys that are absent do no harm. */
export function withoutResourceTags(present: ResourceTags, keys: readonly string[]): ResourceTags {
  const gone = new Set(keys)
  return Object.fromEntries(Object.entries(present).filter(([key]) => !gone.has(key)))
}
