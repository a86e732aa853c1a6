import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import { countRemoval } from './image-removals.ts'
import { refuse } from './refusals.ts'
import { inRepository, type Repository } from './repository.ts'
import { type Act, recordTagMoves, type TagMoveCause } from './tag-moves.ts'
import { isImmutable } from './tag-mutability.ts'

/**
 * The one way in which a tag comes to point to an image of its repository, whoever moves it. Answers whether it pointed elsewhere
 * before, or nowhere. Decides immutability under the repository's exclusive lock, so that of two who race for one immutable tag the
 * second is refused; the content that is there already is no move, and fine.
 *
 * @throws Refusal `TagImmutable`
 */
export async function moveTag(
  trx: Transaction,
  repository: Repository,
  tag: Tag,
  digest: Digest,
  act: Act & { readonly cause: TagMoveCause },
): Promise<boolean> {
  const present = await trx
    .selectFrom('tag')
    .select('digest')
    .where('repository_id', '=', repository.id)
    .where('tag', '=', tag)
    .executeTakeFirst()
  if (present?.digest === digest) return false
  if (present !== undefined && isImmutable(repository.tagMutability, tag)) {
    throw refuse('TagImmutable', { ...inRepository(repository), tag })
  }
  await trx
    .insertInto('tag')
    .values({ repository_id: repository.id, tag, digest, moved_at: act.at })
    .onConflict((conflict) => conflict.columns(['repository_id', 'tag']).doUpdateSet({ digest, moved_at: act.at }))
    .execute()
  const from = present && parseDigest(present.digest)
  await recordTagMoves(trx, repository, [{ tag, from, to: digest }], act)
  if (from !== undefined) await countRemoval(trx, repository)
  return true
}
