import { refuseEntity } from '#iam/entity-refusals.ts'

/** The tags of users, roles, policies and identity providers, which conditions on principals and resources see. */
export type Tags = Readonly<Record<string, string>>

export interface Tag {
  readonly key: string
  readonly value: string
}

/** Imposed by IAM (user guide, "Tags for AWS Identity and Access Management resources"), with the lengths that the API model has. */
const mostTags = 50

/**
 * The tags after these were added, or put in the place of those of the same key. Keys are equal without regard to case, and are
 * kept as they were written last.
 *
 * @throws Refusal `EntityTagInvalid`, `EntityQuotaExceeded`
 */
export function withTags(present: Tags, added: readonly Tag[]): Tags {
  const tags = byKey(Object.entries(present).map(([key, value]) => ({ key, value })))
  const given = byKey(added)
  if (given.size < added.length) throw refuseEntity('EntityTagInvalid', { problem: 'repeated' })
  for (const [id, tag] of given) {
    if (id.startsWith('aws:')) throw refuseEntity('EntityTagInvalid', { problem: 'reserved' })
    tags.set(id, tag)
  }
  if (tags.size > mostTags) throw refuseEntity('EntityQuotaExceeded', { quota: 'tags', limit: mostTags })
  return toTags(tags.values())
}

/** The tags that are left without those of these keys; keys that are absent do no harm. */
export function withoutTags(present: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys.map((key) => key.toLowerCase()))
  return toTags(
    Object.entries(present)
      .filter(([key]) => !gone.has(key.toLowerCase()))
      .map(([key, value]) => ({ key, value })),
  )
}

function byKey(tags: readonly Tag[]): Map<string, Tag> {
  return new Map(tags.map((tag) => [tag.key.toLowerCase(), tag]))
}

/** From entries, because a key may be `__proto__`. */
function toTags(tags: Iterable<Tag>): Tags {
  return Object.fromEntries(Array.from(tags, ({ key, value }) => [key, value]))
}
