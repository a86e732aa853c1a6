import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import { type Announcements, announce } from './announcements.ts'
import type { Repository } from './repository.ts'
import { boundedTime, decideTag, type PresentTag, presentTime, type TagDecision } from './tag-conflict.ts'
import { findLastMove } from './tag-history.ts'
import { type Act, recordTagMoves } from './tag-moves.ts'
import { moveTag } from './tag-moving.ts'
import { isImmutable } from './tag-mutability.ts'
import { countsAt, parseSource, sourceColumns } from './tag-source.ts'

/**
 * What a registry keeps of images that other registries replicate to it. Each function requires the repository's exclusive lock. A tag
 * that moved is checked against the quota (`requireTagsWithin`) and reported to the cache (`forgetTag`) by the caller, as for a push.
 */

export interface ReplicaTag extends Act {
  readonly tag: Tag
  readonly digest: Digest
  readonly source: Registry
  /** When the source's tag was pushed, by the clock of the source. */
  readonly pushedAt: number
  /** Whether the repository has the image only since this transaction. */
  readonly imageCame: boolean
}

/**
 * `unchanged`: the tag points there, or the same source has moved it since. `immutable`: the tag is taken for good. `conflict`: another
 * registry pushed the tag later. The last two leave the image without the tag.
 */
export type ReplicaTagOutcome = 'moved' | 'unchanged' | 'immutable' | 'conflict'

/** Points a tag to a replicated image, unless it is immutable or another registry pushed it later. */
export async function moveReplicaTag(
  trx: Transaction,
  repository: Repository,
  { tag, digest, source, pushedAt, by, at, imageCame }: ReplicaTag,
  announcements: Partial<Pick<Announcements, 'tagConflicted' | 'tagsMoved'>> = {},
): Promise<ReplicaTagOutcome> {
  const { tagConflicted = [] } = announcements
  const present = await findPresent(trx, repository, tag)
  const decision = decideTag(present, { digest, source: { registry: source, pushedAt }, at })
  const origin = { registry: source, pushedAt: boundedTime(pushedAt, at) }
  const conflict = { repository, tag, arrived: digest, source, by, at }
  switch (decision) {
    case 'moves':
    case 'wins': {
      const cause = decision === 'wins' ? 'conflict' : 'replication'
      await moveTag(trx, repository, tag, digest, { by, at, cause, imageCame, source: origin }, announcements)
      if (decision === 'wins' && present !== undefined) {
        await announce(tagConflicted, trx, { ...conflict, winner: digest, loser: present.digest })
      }
      return 'moved'
    }
    case 'same':
      if (present !== undefined && presentTime(present, at) < origin.pushedAt) {
        await trx
          .updateTable('tag')
          .set(sourceColumns(origin))
          .where('repository_id', '=', repository.id)
          .where('tag', '=', tag)
          .execute()
      }
      return 'unchanged'
    case 'loses':
      if (present !== undefined && !(await isRecorded(trx, repository, tag, { from: digest, to: present.digest }))) {
        const move = { tag, from: digest, to: present.digest }
        await recordTagMoves(trx, repository, [move], { by, at, cause: 'conflict', source: origin })
        await announce(tagConflicted, trx, { ...conflict, winner: present.digest, loser: digest })
      }
      return 'conflict'
    default:
      return outcomes[decision]
  }
}

/** Whether the last line of the tag's history says this already, so that a push which is sent again adds none. */
async function isRecorded(
  trx: Transaction,
  repository: Repository,
  tag: Tag,
  { from, to }: { readonly from: Digest; readonly to: Digest },
): Promise<boolean> {
  const last = await findLastMove(trx, repository, tag, Number.MAX_SAFE_INTEGER)
  return last?.cause === 'conflict' && last.from === from && last.to === to
}

const outcomes = { superseded: 'unchanged', immutable: 'immutable' } as const satisfies Partial<
  Record<TagDecision, ReplicaTagOutcome>
>

async function findPresent(
  trx: Transaction,
  { id, tagMutability }: Repository,
  tag: Tag,
): Promise<PresentTag | undefined> {
  const row = await trx
    .selectFrom('tag')
    .select(['digest', 'moved_at', 'source_account', 'source_region', 'source_pushed_at'])
    .where('repository_id', '=', id)
    .where('tag', '=', tag)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    digest: parseDigest(row.digest),
    isImmutable: isImmutable(tagMutability, tag),
    countsAt: countsAt(row),
    source: parseSource(row),
  }
}
