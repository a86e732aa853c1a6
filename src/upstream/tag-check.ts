import { jobKind } from '#jobs/kind.ts'
import { type Worker, worker } from '#jobs/worker.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseTag } from '#names/tag.ts'
import type { Asking } from './asking.ts'
import type { Budgets } from './budget.ts'
import type { TagCheck } from './refresh.ts'
import type { RememberedRules } from './remembered-rules.ts'
import { findRepositoryKey } from './repository-number.ts'
import type { TagStates } from './tag-state.ts'
import { findUpstream } from './upstream-name.ts'

/** Asks an upstream what a cached tag points to, though no client pulls it: for `lading cache refresh`. */
export const checkTag = jobKind<TagCheck>({
  kind: 'check-cached-tag',
  attempts: 3,
  leaseMs: 60_000,
  place: 'transfer',
  parse(document) {
    const { repositoryId, tag, by } = document as { repositoryId: number; tag: string; by: string }
    return { repositoryId, tag: parseTag(tag), by }
  },
  key: ({ repositoryId, tag }) => `${repositoryId} ${tag}`,
})

export function createTagChecker({
  metadata,
  rules,
  tagStates,
  asking,
  budgets,
  clock,
}: {
  readonly metadata: Metadata
  readonly rules: RememberedRules
  readonly tagStates: TagStates
  readonly asking: Asking
  readonly budgets: Budgets
  readonly clock: () => number
}): Worker {
  return worker(checkTag, async (check) => {
    const { repositoryId, tag, by } = check
    const key = await findRepositoryKey(metadata.reader, repositoryId)
    const upstream = key && findUpstream(await rules.find(key.registry), key.name)
    if (key === undefined || upstream === undefined) return 'done'
    const from = await budgets.unaskedFrom(upstream.rule)
    if (from > clock()) return { again: check, at: from }
    const { local, isImmutable, cached } = await tagStates.find(key, tag)
    if (cached === undefined || (local !== undefined && isImmutable)) return 'done'
    await asking.tag({ key, upstream, tag, known: local ?? cached.digest, checkedAt: cached.checkedAt, by })
    return 'done'
  })
}
