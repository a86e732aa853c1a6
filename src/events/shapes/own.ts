import { type NewEvent, orderKey } from '#events/event.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
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

/** What a part of a run of a lifecycle policy did. */
export interface PolicyRun {
  readonly repository: RepositoryKey
  readonly actions: readonly { readonly rule: { readonly action: 'expire' | 'transition' } }[]
  readonly failures: readonly unknown[]
  readonly at: number
}

export function policyEvent({ repository, actions, failures, at }: PolicyRun): NewEvent {
  const count = (action: 'expire' | 'transition') => actions.filter(({ rule }) => rule.action === action).length
  return ownEvent('Lading Policy Action', { repository, by: '', at }, 'EXECUTED', {
    ...{ 'expired-images': count('expire'), 'archived-images': count('transition'), 'kept-images': failures.length },
  })
}

/** Content of one registry that does not match its digest, as the audit trail has it. */
export interface Damaged extends Registry {
  readonly resources: readonly string[]
  readonly details: {
    readonly digest: Digest
    /** Of a blob; a manifest has none. */
    readonly problem?: string
    readonly repositories: readonly { readonly repositoryName: string; readonly imageDigests: readonly Digest[] }[]
  }
  readonly at: number
}

export function damageEvent({ account, region, resources, details, at }: Damaged): NewEvent {
  const { digest, problem, repositories } = details
  return {
    ...{ account, region, source: 'lading', detailType: 'Lading Damage', resources, at },
    orderKey: orderKey({ account, region }),
    detail: {
      ...{ 'action-type': problem === undefined ? 'MANIFEST_DAMAGED' : 'BLOB_QUARANTINED', digest },
      ...(problem !== undefined && { problem }),
      repositories: repositories.map(({ repositoryName, imageDigests }) => ({
        ...{ 'repository-name': repositoryName, 'image-digests': imageDigests },
      })),
    },
  }
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
