import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { Announcements } from './announcements.ts'
import type { Quotas } from './quotas.ts'
import { refuse } from './refusals.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'
import { findImageState, findLastMove, findLastOther, hasPointedTo } from './tag-history.ts'
import { findTarget, moveTag, type OnTagMoved, requireTagsWithin } from './tag-moving.ts'

export interface TagRollback {
  /**
   * Points a tag to an image that it pointed to before, or puts it back if it is gone: a move like any other, but that it leads to
   * somewhere in the tag's history.
   *
   * @throws Refusal `RepositoryNotFound`, `TagHistoryMissing`, `TagNeverPointedTo`, `RollbackImageUnavailable`, `TagImmutable`,
   * `QuotaExceeded`
   */
  rollBack(key: RepositoryKey, tag: Tag, request: RollbackRequest): Promise<RolledBack>
}

export interface RollbackRequest {
  /** An image, or the time at which the tag pointed to it, or else the last other image that it pointed to. */
  readonly to?: { readonly digest: Digest } | { readonly at: number } | undefined
  /** The ARN of the principal. */
  readonly by: string
}

export interface RolledBack {
  /** `undefined` for a tag that was gone. */
  readonly from: Digest | undefined
  /** The same where the tag pointed there already. */
  readonly to: Digest
}

export function createTagRollback({
  metadata,
  clock,
  quotas,
  onTagMoved,
  announcements = {},
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
  /** Called in the transaction in which a rollback moves a tag. */
  onTagMoved?: OnTagMoved
  announcements?: Partial<Announcements>
}): TagRollback {
  return {
    rollBack: (key, tag, { to: wanted, by }) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const from = await findTarget(trx, repository, tag)
        const to = await findDestination(trx, repository, tag, from, wanted)
        const state = await findImageState(trx, repository, to, clock())
        if (state !== 'active') {
          throw refuse('RollbackImageUnavailable', { ...inRepository(key), tag, digest: to, state })
        }
        const act = { by, at: clock(), cause: 'rollback', imageCame: false } as const
        const moved = await moveTag(trx, repository, tag, to, act, announcements)
        if (moved) await requireTagsWithin(trx, quotas, repository, to)
        if (moved) await onTagMoved?.(trx, repository.id, tag)
        return { from, to }
      }),
  }
}

/** @throws Refusal `TagHistoryMissing`, `TagNeverPointedTo` */
async function findDestination(
  trx: Transaction,
  repository: Repository,
  tag: Tag,
  from: Digest | undefined,
  wanted: RollbackRequest['to'],
): Promise<Digest> {
  const where = { ...inRepository(repository), tag }
  if (wanted !== undefined && 'digest' in wanted) {
    const { digest } = wanted
    if (!(await hasPointedTo(trx, repository, tag, digest))) throw refuse('TagNeverPointedTo', { ...where, digest })
    return digest
  }
  if (wanted !== undefined) {
    const move = await findLastMove(trx, repository, tag, wanted.at)
    if (move?.to === undefined) throw refuse('TagHistoryMissing', { ...where, at: wanted.at })
    return move.to
  }
  const other = await findLastOther(trx, repository, tag, from)
  if (other === undefined) throw refuse('TagHistoryMissing', { ...where, at: undefined })
  return other
}
