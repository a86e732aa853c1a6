import type { Tag as TagOf, Tags } from '#iam/identities/tags.ts'
import type { AttachedPermissionsBoundary, Tag } from './model.ts'

/** What several of IAM's answers and inputs have in common. */

export function tagShapes(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

export function readTags(tags: readonly Tag[] = []): TagOf[] {
  return tags.map(({ Key: key, Value: value }) => ({ key, value }))
}

/** IAM sends this type, although its API model names another one. */
export function boundaryShape(arn: string): AttachedPermissionsBoundary {
  return { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: arn }
}

/** Policy documents come percent-encoded in answers, all but letters, digits and `-_.~` (IAM API reference, GetRole). */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
