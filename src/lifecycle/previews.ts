import type { Clock } from '#lib/clock.ts'
import type { Page } from '#lib/page.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Quotas } from '#registry/quotas.ts'
import { getRepository, inRepository, lockRepository, type RepositoryKey } from '#registry/repository.ts'
import { parseLifecyclePolicy } from './policy.ts'
import { findLifecyclePolicyOf } from './policy-rows.ts'
import { makePreview, type OnPreviewed } from './preview-maker.ts'
import {
  findPreviewOf,
  listResults,
  type Preview,
  type PreviewResult,
  type ResultFilter,
  replacePreview,
  touchPreview,
} from './preview-rows.ts'
import { refuse } from './refusals.ts'

/**
 * What a policy would do with a repository as it stands. A start is answered at once; the evaluation follows in the same process,
 * one preview at a time, so that many which start together hold neither its memory nor its other work. A preview that waits for
 * minutes, or whose process dies, has failed, and whoever wants it starts it again.
 */
export interface LifecyclePreviews {
  /**
   * By the policy given, or by the repository's own. Answers the policy's text.
   *
   * @throws Refusal `RepositoryNotFound`, `LifecyclePolicyInvalid`, `LifecyclePolicyNotFound`, `LifecyclePreviewInProgress`
   */
  start(key: RepositoryKey, text: string | undefined): Promise<string>
  /** The latest. @throws Refusal `RepositoryNotFound`, `LifecyclePreviewNotFound` */
  get(key: RepositoryKey): Promise<Preview>
  /** Of a preview that is complete, in the order in which the images would be acted on. Empty for any other. */
  listResults(
    preview: Preview,
    filter: ResultFilter,
    page: { limit: number; after?: number | undefined },
  ): Promise<Page<PreviewResult, number>>
  /** Gives up what is not finished: it has failed. */
  stop(): Promise<void>
}

export function createLifecyclePreviews({
  metadata,
  clock,
  quotas,
  flushPulls,
  onError,
  onPreviewed = async () => {},
}: {
  metadata: Metadata
  clock: Clock
  quotas: Pick<Quotas, 'lifecycleRules'>
  /** Writes the times of pulls that this process has in memory. */
  flushPulls: () => Promise<void>
  onError: (error: unknown) => void
  onPreviewed?: OnPreviewed
}): LifecyclePreviews {
  const stopping = new AbortController()
  let last: Promise<void> = Promise.resolve()

  async function make(id: number): Promise<void> {
    try {
      await makePreview({ metadata, clock, flushPulls, onPreviewed, signal: stopping.signal }, id)
    } catch (error) {
      if (!stopping.signal.aborted) onError(error)
      await metadata.transaction((trx) => touchPreview(trx, id, clock(), { status: 'FAILED' }))
    }
  }

  return {
    async start(key, given) {
      if (given !== undefined) parseLifecyclePolicy(given, quotas.lifecycleRules)
      const { id, text } = await metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const text = given ?? (await findLifecyclePolicyOf(trx, repository.id))?.text
        if (text === undefined) throw refuse('LifecyclePolicyNotFound', inRepository(key))
        const now = clock()
        const before = await findPreviewOf(trx, repository.id, now)
        if (before?.status === 'IN_PROGRESS') throw refuse('LifecyclePreviewInProgress', inRepository(key))
        return { id: await replacePreview(trx, repository.id, text, now), text }
      })
      last = last.then(() => make(id)).catch(onError)
      return text
    },

    async get(key) {
      const { id } = await getRepository(metadata.reader, key)
      const preview = await findPreviewOf(metadata.reader, id, clock())
      if (preview === undefined) throw refuse('LifecyclePreviewNotFound', inRepository(key))
      return preview
    },

    listResults: async ({ id, status }, filter, page) =>
      status === 'COMPLETE' ? listResults(metadata.reader, id, filter, page) : { items: [] },

    async stop() {
      stopping.abort()
      await last
    },
  }
}
