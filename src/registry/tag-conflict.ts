import type { Digest } from '#names/digest.ts'
import { isSameRegistry, type Registry } from '#names/registry.ts'
import type { TagSource } from './tag-source.ts'

/**
 * Decides between a tag as it is and a replicated push of it. Pure, and symmetric: two registries that replicate to each other decide for
 * the same image, whichever push arrives first. Times are milliseconds since the epoch.
 */

export interface PresentTag {
  readonly digest: Digest
  readonly isImmutable: boolean
  /** When the push that the tag stands for counts (`nextTime`). */
  readonly countsAt: number
  /** The registry that it was replicated from; `undefined` for a tag that was moved here. */
  readonly source: Registry | undefined
}

export interface ArrivingTag {
  readonly digest: Digest
  readonly source: TagSource
  /** When it arrives. */
  readonly at: number
}

/**
 * `moves`: no other registry pushed it. `same`: it points there. `superseded`: the source has moved the tag since. `wins`, `loses`: another
 * registry pushed it, and the later push counts.
 */
export type TagDecision = 'moves' | 'same' | 'superseded' | 'immutable' | 'wins' | 'loses'

/** Clocks of registries differ by less. A time that is further ahead says nothing. */
export const mostAheadMs = 5 * 60_000

export function decideTag(present: PresentTag | undefined, { digest, source, at }: ArrivingTag): TagDecision {
  if (present === undefined) return 'moves'
  if (present.digest === digest) return 'same'
  if (present.isImmutable) return 'immutable'
  const [there, here] = [boundedTime(source.pushedAt, at), presentTime(present, at)]
  if (present.source !== undefined && isSameRegistry(present.source, source.registry)) {
    return there < here ? 'superseded' : 'moves'
  }
  if (there !== here) return there > here ? 'wins' : 'loses'
  return digest > present.digest ? 'wins' : 'loses'
}

/** A push counts no later than when it arrives, but for the clocks' difference. So a clock that is ahead holds no tag for long. */
export function boundedTime(pushedAt: number, at: number): number {
  return pushedAt > at + mostAheadMs ? at : pushedAt
}

/** When the tag counts. A time that is still to come is of a clock that has been set back since. */
export function presentTime({ countsAt }: Pick<PresentTag, 'countsAt'>, at: number): number {
  return countsAt > at + mostAheadMs ? 0 : countsAt
}

/**
 * When a move by a client of this registry counts: after what the tag was. Its source may have a clock that is ahead. Without this, the push
 * that the client replaced would win here when it is sent again, and at its source.
 */
export function nextTime(present: number | undefined, at: number): number {
  return present === undefined || present < at || present > at + mostAheadMs ? at : present + 1
}
