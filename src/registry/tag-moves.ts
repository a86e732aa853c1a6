import { slicesWithin } from '#lib/slices.ts'
import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { RemovalCause } from './image-removal.ts'
import type { Repository } from './repository.ts'
import type { TagSource } from './tag-source.ts'

/** Every move of a tag is kept, written in the transaction that moves it: when, from where, to where, by whom and why. */
export interface TagMove {
  readonly tag: Tag
  /** `undefined` for a tag that was not there. */
  readonly from: Digest | undefined
  /** `undefined` for a tag that goes. */
  readonly to: Digest | undefined
}

/** `conflict`: two registries pushed the tag. `from` is the image that lost, whether the tag pointed to it here or was to. */
export type TagMoveCause = 'push' | 'cache' | 'replication' | 'conflict' | RemovalCause | 'rollback' | 'restore'

/** Who does something, and when. */
export interface Act {
  /** The ARN of the principal; empty where it is nobody's but a policy's doing. */
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface TagMoveAct extends Act {
  readonly cause: TagMoveCause
  /** The registry that replicated the tag, if one did. */
  readonly source?: TagSource | undefined
}

/** Bounds a statement: PostgreSQL takes 65,535 parameters. A call may delete 100 images of 1,000 tags each. */
const rowsAtOnce = 1_000

export async function recordTagMoves(
  trx: Transaction,
  { id }: Repository,
  moves: readonly TagMove[],
  { by, at, cause, source }: TagMoveAct,
): Promise<void> {
  const rows = moves.map(({ tag, from, to }) => ({
    ...{ repository_id: id, tag, from_digest: from ?? null, to_digest: to ?? null },
    ...{ moved_at: at, moved_by: by, cause },
    ...{ source_account: source?.registry.account ?? null, source_region: source?.registry.region ?? null },
  }))
  for (const some of slicesWithin(rows, rowsAtOnce, () => 1)) await trx.insertInto('tag_move').values(some).execute()
}
