import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import { type Announcements, announce } from './announcements.ts'
import { countRemoval } from './image-removals.ts'
import { type Quotas, requireWithin } from './quotas.ts'
import { refuse } from './refusals.ts'
import { inRepository, type Repository } from './repository.ts'
import { nextTime } from './tag-conflict.ts'
import { recordTagMoves, type TagMoveAct } from './tag-moves.ts'
import { isImmutable } from './tag-mutability.ts'
import { countsAt, sourceColumns } from './tag-source.ts'

export interface TagMoving extends TagMoveAct {
  /** Whether the image is there only since this transaction: then nobody has counted it among those without a tag. */
  readonly imageCame: boolean
}

export interface MovedTag {
  /** When the move counts for other registries. Milliseconds since the epoch. */
  readonly countsAt: number
}

/** Hears that a client moved a tag. */
export type OnTagMoved = (trx: Transaction, repositoryId: number, tag: Tag) => Promise<void>

/**
 * The one way in which a tag comes to point to an image of its repository, by any cause. `undefined` if it pointed there before. Decides immutability under the repository's exclusive lock, so that of two who race for one immutable tag the
 * second is refused; the content that is there already is no move, and fine.
 *
 * @throws Refusal `TagImmutable`
 */
export async function moveTag(
  trx: Transaction,
  repository: Repository,
  tag: Tag,
  digest: Digest,
  act: TagMoving,
  { tagsMoved = [] }: Partial<Pick<Announcements, 'tagsMoved'>> = {},
): Promise<MovedTag | undefined> {
  const present = await findTag(trx, repository, tag)
  const from = present?.digest
  if (from === digest) return undefined
  if (from !== undefined && isImmutable(repository.tagMutability, tag)) {
    throw refuse('TagImmutable', { ...inRepository(repository), tag })
  }
  const isFirst = !act.imageCame && (await tagsOf(trx, repository, digest).limit(1).executeTakeFirst()) === undefined
  const time = act.source?.pushedAt ?? nextTime(present?.countsAt, act.at)
  const source_pushed_at = time === act.at ? null : time
  const target = { digest, moved_at: act.at, ...sourceColumns(act.source), source_pushed_at }
  await trx
    .insertInto('tag')
    .values({ repository_id: repository.id, tag, ...target })
    .onConflict((conflict) => conflict.columns(['repository_id', 'tag']).doUpdateSet(target))
    .execute()
  const moves = [{ tag, from, to: digest }]
  await recordTagMoves(trx, repository, moves, act)
  if (from !== undefined || isFirst) await countRemoval(trx, repository)
  await announce(tagsMoved, trx, { repository, moves, by: act.by, at: act.at, cause: act.cause })
  return { countsAt: time }
}

/** What a tag points to. */
export async function findTarget(trx: Transaction, repository: Repository, tag: Tag): Promise<Digest | undefined> {
  return (await findTag(trx, repository, tag))?.digest
}

async function findTag(trx: Transaction, { id }: Repository, tag: Tag) {
  const row = await trx
    .selectFrom('tag')
    .select(['digest', 'moved_at', 'source_pushed_at'])
    .where('repository_id', '=', id)
    .where('tag', '=', tag)
    .executeTakeFirst()
  return row && { digest: parseDigest(row.digest), countsAt: countsAt(row) }
}

/** After a tag moved to an image, in the same transaction: that image has no more tags than it may. @throws Refusal `QuotaExceeded` */
export async function requireTagsWithin(
  trx: Transaction,
  quotas: Quotas,
  repository: Repository,
  digest: Digest,
): Promise<void> {
  await requireWithin(quotas, 'tags', inRepository(repository), tagsOf(trx, repository, digest))
}

/** As the quota of an image counts them. */
export function tagsOf(trx: Transaction, { id }: Repository, digest: Digest) {
  return trx.selectFrom('tag').select('tag').where('repository_id', '=', id).where('digest', '=', digest)
}
