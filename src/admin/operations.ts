import type { Handlers } from '#aws/operation.ts'
import { type AccessParts, accessOperations } from './access.ts'
import { eventPatternOperations } from './event-patterns.ts'
import { type EventParts, eventOperations } from './events.ts'
import { type ImageOriginParts, imageOriginOperations } from './image-origin.ts'
import { type InUseParts, inUseOperations } from './in-use.ts'
import { type LifecycleParts, lifecycleOperations } from './lifecycle.ts'
import type { Operations } from './model.ts'
import { type PullThroughParts, pullThroughOperations } from './pull-through.ts'
import { type RecycleBinParts, recycleBinOperations } from './recycle-bin.ts'
import { type ReplicationParts, replicationOperations } from './replication.ts'
import { type ReplicationRunParts, replicationRunOperations } from './replication-runs.ts'
import { type TagParts, tagOperations } from './tags.ts'
import { type WebhookParts, webhookOperations } from './webhooks.ts'

export interface AdminParts
  extends AccessParts,
    LifecycleParts,
    InUseParts,
    RecycleBinParts,
    TagParts,
    PullThroughParts,
    ImageOriginParts,
    WebhookParts,
    EventParts,
    ReplicationParts,
    ReplicationRunParts {}

/** Lading's own operations, for who administers an account: what AWS does not answer. */
export function adminOperations(parts: AdminParts) {
  return {
    ...accessOperations(parts),
    ...lifecycleOperations(parts),
    ...inUseOperations(parts),
    ...recycleBinOperations(parts),
    ...tagOperations(parts),
    ...pullThroughOperations(parts),
    ...imageOriginOperations(parts),
    ...webhookOperations(parts),
    ...eventOperations(parts),
    ...eventPatternOperations(),
    ...replicationOperations(parts),
    ...replicationRunOperations(parts),
  } satisfies Handlers<Operations>
}
