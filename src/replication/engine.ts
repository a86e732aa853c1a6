import type { Holds } from '#jobs/holds.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { FindDestination } from './destination.ts'
import type { Route } from './queue.ts'
import { createReplicator, type Replicator } from './replicator.ts'
import { createFindWanted } from './rules.ts'
import { createSettle, type SettlingParts } from './settling.ts'

export interface ReplicationEngineParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly holds: Holds
  readonly findDestination: FindDestination
  readonly onAction: SettlingParts['onAction']
  readonly onError: (error: unknown, about?: Route) => void
  /** For tests. */
  readonly pollMs?: number
  readonly heldMs?: number
  readonly random?: () => number
}

/** What copies images, put together. */
export function createReplicationEngine({
  onAction,
  random = Math.random,
  ...parts
}: ReplicationEngineParts): Replicator {
  const settle = createSettle({ clock: parts.clock, random, onAction })
  return createReplicator({ ...parts, settle, findWanted: createFindWanted(parts.metadata.reader) })
}
