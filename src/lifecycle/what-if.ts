import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import type { Page } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import { measureFreed } from '#registry/freed-bytes.ts'
import { readLifecycleImages } from '#registry/lifecycle-images.ts'
import type { Quotas } from '#registry/quotas.ts'
import { getRepository, inRepository, lockRepository, type RepositoryKey } from '#registry/repository.ts'
import { retentionSetting } from '#registry/retention-settings.ts'
import { readSetting } from '#registry/settings.ts'
import { decide } from './decide.ts'
import { difference } from './difference.ts'
import { parseLifecyclePolicy } from './policy.ts'
import { findLifecyclePolicyOf } from './policy-rows.ts'
import { refuse } from './refusals.ts'
import { type WhatIfImage, type WhatIfVerdict, whatIfImages } from './what-if-images.ts'
import {
  deleteWhatIf,
  findSurplus,
  findWhatIf,
  insertPage,
  insertWhatIf,
  pageImages,
  readPage,
  type WhatIfSummary,
} from './what-if-rows.ts'

/**
 * What a policy would do with a repository as it stands: with every image, why, and how many bytes that frees. Nothing of the
 * repository changes. What was found out is kept for a day, so that it is listed to its end as it was, whatever is pushed meanwhile.
 */
export interface WhatIfs {
  /**
   * By the policy given, or by the repository's own. One is made at a time, so that many which are asked for together do not hold
   * the images of all their repositories.
   *
   * @throws Refusal `RepositoryNotFound`, `LifecyclePolicyInvalid`, `LifecyclePolicyNotFound`; the signal's reason
   */
  make(key: RepositoryKey, draft: string | undefined, signal: AbortSignal): Promise<WhatIf>
  /** @throws Refusal `RepositoryNotFound`, `WhatIfNotFound` */
  get(key: RepositoryKey, id: string): Promise<WhatIf>
  /** In order, from the first after the position `after`. May end early: a page that leads on may be short, or empty. */
  list(
    whatIf: WhatIf,
    page: { verdicts: readonly WhatIfVerdict[] | undefined; limit: number; after?: number | undefined },
  ): Promise<Page<WhatIfImage, number>>
}

export interface WhatIf {
  readonly id: string
  readonly summary: WhatIfSummary
}

/** Rows of images in one transaction, and in one answer: some milliseconds. */
const batchPages = 10

export function createWhatIfs({
  metadata,
  clock,
  quotas,
  flushPulls,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Pick<Quotas, 'lifecycleRules'>
  /** Writes the times of pulls that this process has in memory. */
  flushPulls: () => Promise<void>
}): WhatIfs {
  const { reader } = metadata
  let last: Promise<unknown> = Promise.resolve()

  async function evaluate(key: RepositoryKey, draft: string | undefined, signal: AbortSignal): Promise<WhatIf> {
    signal.throwIfAborted()
    const id = randomUUID()
    await flushPulls()
    const { repositoryId, summary, images } = await metadata.snapshot((reader) => workOut(reader, key, draft, signal))
    await store({ key, repositoryId, id, summary, images, signal })
    return { id, summary }
  }

  async function workOut(reader: Reader, key: RepositoryKey, draft: string | undefined, signal: AbortSignal) {
    const { id: repositoryId, registry } = await getRepository(reader, key)
    const inForce = (await findLifecyclePolicyOf(reader, repositoryId))?.text
    const text = draft ?? inForce
    if (text === undefined) throw refuse('LifecyclePolicyNotFound', inRepository(key))
    const now = clock()
    const found = await readLifecycleImages(reader, repositoryId, now)
    const decisions = await decide(parseLifecyclePolicy(text), found, now, signal)
    const others = { rules: inForce === undefined ? [] : parseLifecyclePolicy(inForce).rules }
    const changes = draft === undefined ? undefined : difference(decisions, await decide(others, found, now, signal))
    const images = whatIfImages(decisions, changes)
    const going = images.filter(({ verdict }) => verdict === 'expire').map(({ digest }) => digest)
    const summary: WhatIfSummary = {
      ...{ text, draft: draft !== undefined, now, counts: countVerdicts(images) },
      ...(await measureFreed(reader, repositoryId, going, signal)),
      recycleBinDays: (await readSetting(reader, registry, retentionSetting)).recycleBinDays,
      ...(changes !== undefined && { difference: countChanges(images) }),
    }
    return { repositoryId, summary, images }
  }

  /** Nobody knows its id before it is whole. @throws Refusal `RepositoryNotFound` */
  async function store({ key, repositoryId, id, summary, images, signal }: WhatIf & ToStore): Promise<void> {
    const lock = async (trx: Transaction) => {
      const { id } = await lockRepository(trx, key, 'shared')
      // Deleted meanwhile, and there is another one of its name.
      if (id !== repositoryId) throw refuse('WhatIfNotFound', inRepository(key))
    }
    await metadata.transaction(async (trx) => {
      await lock(trx)
      await insertWhatIf(trx, { id, repositoryId, summary })
    })
    const step = batchPages * pageImages
    for (let at = 0; at < images.length; at += step) {
      await setImmediate(undefined, { signal })
      await metadata.transaction(async (trx) => {
        await lock(trx)
        for (let from = at; from < Math.min(at + step, images.length); from += pageImages) {
          await insertPage(trx, { id, number: from / pageImages, images: images.slice(from, from + pageImages) })
        }
      })
    }
    for (const surplus of await findSurplus(reader, repositoryId)) {
      await metadata.transaction((trx) => deleteWhatIf(trx, surplus))
    }
  }

  return {
    make(key, draft, signal) {
      if (draft !== undefined) parseLifecyclePolicy(draft, quotas.lifecycleRules)
      const made = last.then(() => evaluate(key, draft, signal))
      last = made.catch(() => {})
      return made
    },

    async get(key, id) {
      const repository = await getRepository(reader, key)
      const summary = await findWhatIf(reader, repository.id, id, clock())
      if (summary === undefined) throw refuse('WhatIfNotFound', inRepository(key))
      return { id, summary }
    },

    async list({ id, summary }, { verdicts, limit, after = -1 }) {
      const items: WhatIfImage[] = []
      const { from, end } = rangeOf(summary, verdicts)
      let position = Math.max(after + 1, from)
      for (let rows = 0; position < end && rows < batchPages; rows++) {
        const page = Math.floor(position / pageImages)
        const images = (await readPage(reader, id, page)) ?? []
        for (; position < Math.min((page + 1) * pageImages, end); position++) {
          const image = images[position - page * pageImages]
          if (image === undefined || !(verdicts?.includes(image.verdict) ?? true)) continue
          if (items.length === limit) return { items, next: position - 1 }
          items.push(image)
        }
      }
      return position < end ? { items, next: position - 1 } : { items }
    },
  }
}

interface ToStore {
  readonly key: RepositoryKey
  readonly repositoryId: number
  readonly images: readonly WhatIfImage[]
  readonly signal: AbortSignal
}

/** Where those verdicts stand in the order of `whatIfImages`: what goes, what is blocked, what is kept. */
function rangeOf({ counts }: WhatIfSummary, verdicts: readonly WhatIfVerdict[] | undefined) {
  const acting = counts.expire + counts.archive
  const parts = [
    { from: 0, end: acting, holds: ['expire', 'archive'] },
    { from: acting, end: acting + counts.blocked, holds: ['blocked'] },
    { from: acting + counts.blocked, end: acting + counts.blocked + counts.keep, holds: ['keep'] },
  ]
  const wanted = parts.filter(({ holds }) => verdicts?.some((verdict) => holds.includes(verdict)) ?? true)
  return { from: wanted[0]?.from ?? 0, end: wanted.at(-1)?.end ?? 0 }
}

function countVerdicts(images: readonly WhatIfImage[]): WhatIfSummary['counts'] {
  const counts = { expire: 0, archive: 0, blocked: 0, keep: 0 }
  for (const { verdict } of images) counts[verdict]++
  return counts
}

function countChanges(images: readonly WhatIfImage[]) {
  const count = (side: WhatIfImage['goesUnder']) => images.filter(({ goesUnder }) => goesUnder === side).length
  return { draft: count('draft'), inForce: count('in force'), both: count('both') }
}
