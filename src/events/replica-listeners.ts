import type { Transaction } from '#metadata/metadata.ts'
import type { ImageReplicated, TagConflicted } from '#registry/announcements.ts'
import { recordEvents } from './record.ts'
import { conflictEvent } from './shapes/own.ts'
import { replicationEvent } from './shapes/replication-actions.ts'

/** Makes events of what arrives from another registry. */

export async function recordReplication(trx: Transaction, replicated: ImageReplicated): Promise<void> {
  await recordEvents(trx, [replicationEvent('SUCCESS', replicated)])
}

export async function recordConflict(trx: Transaction, conflicted: TagConflicted): Promise<void> {
  await recordEvents(trx, [conflictEvent(conflicted)])
}
