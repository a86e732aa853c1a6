import { refuse } from './refusals.ts'

/** The tags of secrets, which conditions of policies see. */
export type SecretTags = Readonly<Record<string, string>>

export interface SecretTag {
  readonly key: string
  readonly value: string
}

/** Imposed by Secrets Manager (user guide, "Tagging secrets"). The API model has the lengths of keys and values. */
const mostTags = 50

/** The tags after these were added or overwritten. @throws Refusal `SecretTagInvalid`, `SecretTagsTooMany` */
export function withSecretTags(present: SecretTags, added: readonly SecretTag[]): SecretTags {
  const seen = new Set<string>()
  for (const { key } of added) {
    if (key.toLowerCase().startsWith('aws:')) throw refuse('SecretTagInvalid', { key, problem: 'reserved' })
    if (seen.has(key)) throw refuse('SecretTagInvalid', { key, problem: 'repeated' })
    seen.add(key)
  }
  // Entries, because a key may be `__proto__`.
  const tags = Object.fromEntries([...Object.entries(present), ...added.map(({ key, value }) => [key, value] as const)])
  if (Object.keys(tags).length > mostTags) throw refuse('SecretTagsTooMany', { limit: mostTags })
  return tags
}

/** The tags that are left without those of these keys. An absent key is no error. */
export function withoutSecretTags(present: SecretTags, keys: readonly string[]): SecretTags {
  const gone = new Set(keys)
  return Object.fromEntries(Object.entries(present).filter(([key]) => !gone.has(key)))
}
