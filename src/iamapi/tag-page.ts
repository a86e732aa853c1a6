import type { Tags } from '#iam/identities/tags.ts'
import type { Tag } from './model.ts'
import { openPage, type PagedInput } from './paging.ts'
import { tagShapes } from './shapes.ts'

/**
 * One page of the tags of an entity, sorted by key (IAM API reference, ListUserTags). `scope` names the operation and the entity.
 *
 * @throws AwsError `ValidationError` for a marker of another listing
 */
export function tagPage(input: PagedInput, scope: readonly unknown[], tags: Tags) {
  const page = openPage(input, scope, [isTagKey])
  const [after] = page.after ?? []
  const rest = tagShapes(tags)
    .sort((a, b) => compare(a.Key, b.Key))
    .filter(({ Key }) => after === undefined || compare(Key, after) > 0)
  const Tags: readonly Tag[] = rest.slice(0, page.limit)
  const last = Tags.at(-1)
  return { Tags, ...page.next(rest.length > page.limit && last !== undefined ? [last.Key] : undefined) }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The length that the API model has. */
function isTagKey(text: string): boolean {
  return text.length <= 128
}
