import { type NewEvent, orderKey } from '#events/event.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { TagConflicted } from '#registry/announcements.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/** Events of Lading's own, about what ECR does not have. Their members have ECR's names where ECR has one. */

interface Acted {
  readonly repository: RepositoryKey
  /** The ARN of a principal; empty where none asked for it. */
  readonly by: string
  readonly at: number
}

export type TagAction = 'MOVED' | 'ROLLED_BACK' | 'RESTORED'

/** `from` is the image that the tag pointed to before, if it was there. */
export function tagEvent(
  action: TagAction,
  acted: Acted,
  { tag, from, to }: { readonly tag: Tag; readonly from: Digest | undefined; readonly to: Digest },
): NewEvent {
  return ownEvent('Lading Tag Action', acted, action, {
    ...{ 'image-tag': tag, 'image-digest': to },
    ...(from !== undefined && { 'previous-image-digest': from }),
  })
}

/** A tag that two registries pushed. The tag points to the winner; `source` sent one of the two. */
export function conflictEvent({ tag, winner, loser, source, ...acted }: TagConflicted): NewEvent {
  return ownEvent('Lading Tag Action', acted, 'TAG_CONFLICT', {
    ...{ 'image-tag': tag, 'image-digest': winner, 'other-image-digest': loser },
    ...{ 'source-account': source.account, 'source-region': source.region },
  })
}

/** An image that came back from the recycle bin. */
export function restoredEvent(acted: Acted, digest: Digest): NewEvent {
  return ownEvent('Lading Image Action', acted, 'RESTORED', { 'image-digest': digest })
}

function ownEvent(
  detailType: string,
  { repository: { registry, name }, by, at }: Acted,
  action: string,
  details: Readonly<Record<string, unknown>>,
): NewEvent {
  return {
    ...{ account: registry.account, region: registry.region, source: 'lading', detailType, resources: [], at },
    orderKey: orderKey(registry, name),
    detail: {
      ...{ 'action-type': action, 'repository-name': name, ...details },
      ...(by !== '' && { 'principal-arn': by }),
    },
  }
}
