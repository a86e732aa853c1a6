import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { selectLive } from '#registry/image-removals.ts'
import { readLifecycleImages } from '#registry/lifecycle-images.ts'
import { parseRepository } from '#registry/repository.ts'
import { decide } from './decide.ts'
import type { Decision } from './evaluate.ts'
import type { PolicyExecution } from './execution.ts'
import { parseLifecyclePolicy } from './policy.ts'
import { insertPage, type PreviewResult, pageResults, touchPreview } from './preview-rows.ts'

/**
 * Makes one preview: reads the repository, evaluates, writes what would be acted on. Other work gets its turn throughout, and each
 * batch is a transaction of its own, which proves that the preview is still this maker's. Nobody is shown a part of it.
 */
export interface MakerParts {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Writes the times of pulls that this process has in memory. */
  readonly flushPulls: () => Promise<void>
  readonly signal: AbortSignal
  readonly onPreviewed: OnPreviewed
}

/** Writes rows about what a policy would do, in the transaction that completes the preview. */
export type OnPreviewed = (trx: Transaction, execution: PolicyExecution) => Promise<void>

/** Told of those on which the policy would act, and of those that it could not take. */
const mostTold = 900

/** Pages a transaction. */
const pagesAtOnce = 10

/** @throws the signal's reason when it is aborted */
export async function makePreview(parts: MakerParts, id: number): Promise<void> {
  const { metadata, clock, flushPulls, signal, onPreviewed } = parts
  signal.throwIfAborted()
  const preview = await metadata.transaction((trx) => touchPreview(trx, id, clock()))
  if (preview === undefined) return
  const { repositoryId } = preview
  await flushPulls()
  const images = await metadata.snapshot((reader) => readLifecycleImages(reader, repositoryId, clock()))
  const policy = parseLifecyclePolicy(preview.text)
  const decisions = await decide(policy, images, clock(), signal)
  const results = resultsOf(decisions)

  const pages = Math.ceil(results.length / pageResults)
  for (let first = 0; first < pages; first += pagesAtOnce) {
    signal.throwIfAborted()
    const mine = await metadata.transaction(async (trx) => {
      const touched = await touchPreview(trx, id, clock())
      if (touched === undefined) return undefined
      for (let number = first; number < Math.min(first + pagesAtOnce, pages); number++) {
        await insertPage(trx, id, number, results.slice(number * pageResults, (number + 1) * pageResults))
      }
      return touched
    })
    if (mine === undefined) return
    // On SQLite a transaction that need not wait ends without anybody else's turn.
    await setImmediate()
  }
  const count = (wanted: PreviewResult['action']) => results.filter(({ action }) => action === wanted).length
  const end = { status: 'COMPLETE', expiring_count: count('expire'), transitioning_count: count('transition') }
  await metadata.transaction(async (trx) => {
    if ((await touchPreview(trx, id, clock(), end)) === undefined) return
    const row = await selectLive(trx, repositoryId).selectAll().executeTakeFirst()
    if (row === undefined) return
    await onPreviewed(trx, {
      ...{ repository: parseRepository(row), policy, text: preview.text, lastEvaluatedAt: undefined, at: clock() },
      actions: decisions.filter((decision) => decision.verdict === 'act').slice(0, mostTold),
      failures: decisions.filter((decision) => decision.verdict === 'blocked').slice(0, mostTold),
    })
  })
}

function resultsOf(decisions: readonly Decision[]): PreviewResult[] {
  return decisions
    .filter((decision) => decision.verdict === 'act')
    .map(({ image, rule }, position) => ({
      position,
      digest: image.digest,
      tags: image.tags,
      pushedAt: image.pushedAt,
      storageClass: image.status === 'ARCHIVED' ? 'archive' : 'standard',
      action: rule.action,
      rulePriority: rule.priority,
    }))
}
