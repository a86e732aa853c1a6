import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { addToCounter } from '#jobs/counters.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { removeImages } from '#registry/image-removal.ts'
import { lockLive, readRemovals } from '#registry/image-removals.ts'
import { archiveImages } from '#registry/image-status.ts'
import { findKeptInUse } from '#registry/kept-in-use.ts'
import { type LifecycleImage, readLifecycleImages, readLifecycleImagesOf } from '#registry/lifecycle-images.ts'
import type { Repository } from '#registry/repository.ts'
import { decide } from './decide.ts'
import type { Decision } from './evaluate.ts'
import { parseLifecyclePolicy } from './policy.ts'
import { findLifecyclePolicyOf, markEvaluated } from './policy-rows.ts'

/**
 * Applies the policy of a repository: evaluates as a preview does, then acts in batches, each a transaction under the repository's
 * exclusive lock. An image that is not as it was when it was evaluated is left to the next run; once somebody else has taken away
 * something on which counts rest, everything is evaluated anew. A run that was killed is simply begun again.
 */
export interface RunnerParts {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Writes the times of pulls that this process has in memory. What others have is at most a second old. */
  readonly flushPulls: () => Promise<void>
}

/** Images a transaction: some tens of milliseconds on SQLite, where nobody else writes meanwhile. */
const batchImages = 100

type Mark = Extract<Decision, { verdict: 'act' }>

/** Where so much goes on in a repository, others have their turn before it is looked at again. */
const evaluationsAtOnce = 10

/** `again` if too much was taken away by others to come to an end. @throws the signal's reason when it is aborted */
export async function runLifecyclePolicy(
  { metadata, clock, flushPulls }: RunnerParts,
  repositoryId: number,
  signal: AbortSignal,
): Promise<'done' | 'again'> {
  for (let evaluations = 0; evaluations < evaluationsAtOnce; evaluations++) {
    signal.throwIfAborted()
    await flushPulls()
    const policy = await findLifecyclePolicyOf(metadata.reader, repositoryId)
    // Before the images: what goes while they are read is noticed.
    const removals = await readRemovals(metadata.reader, repositoryId)
    if (policy === undefined || removals === undefined) return 'done'
    const evaluatedAt = clock()
    const images = await readLifecycleImages(metadata.reader, repositoryId, evaluatedAt)
    const decisions = await decide(parseLifecyclePolicy(policy.text), images, evaluatedAt, signal)
    const marks = decisions.filter((decision) => decision.verdict === 'act')
    const run = new Run({ metadata, clock, repositoryId, text: policy.text, removals })
    let going = true
    for (let at = 0; at < marks.length && going; at += batchImages) {
      signal.throwIfAborted()
      going = await run.act(marks.slice(at, at + batchImages))
      await setImmediate()
    }
    if (!going) continue
    await metadata.transaction((trx) => markEvaluated(trx, repositoryId, policy.text, evaluatedAt))
    return 'done'
  }
  return 'again'
}

interface RunFacts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly repositoryId: number
  /** Of the policy that was evaluated. */
  readonly text: string
  readonly removals: number
}

class Run {
  readonly #facts: RunFacts
  /** As they should stand if nobody else took anything away. */
  #removals: number
  /** What this run has expired. */
  readonly #gone = new Set<Digest>()

  constructor(facts: RunFacts) {
    this.#facts = facts
    this.#removals = facts.removals
  }

  /** False if it must be evaluated anew, or there is nothing to evaluate any more: then nothing was done. */
  async act(marks: readonly Mark[]): Promise<boolean> {
    const { metadata, repositoryId, text } = this.#facts
    const done = await metadata.transaction(async (trx) => {
      const live = await lockLive(trx, repositoryId)
      if (live === undefined || live.removals !== this.#removals) return undefined
      if ((await findLifecyclePolicyOf(trx, repositoryId))?.text !== text) return undefined
      const expired = await this.#apply(trx, live.repository, marks)
      return { expired, removals: (await readRemovals(trx, repositoryId)) ?? 0 }
    })
    if (done === undefined) return false
    this.#removals = done.removals
    for (const digest of done.expired) this.#gone.add(digest)
    return true
  }

  async #apply(trx: Transaction, repository: Repository, marks: readonly Mark[]): Promise<readonly Digest[]> {
    const at = this.#facts.clock()
    const digests = marks.map(({ image }) => image.digest)
    const present = await readLifecycleImagesOf(trx, repository.id, digests)
    // What was reported meanwhile counts, too.
    const kept = await findKeptInUse(trx, repository, digests, at)
    const going = new Set<Digest>()
    const unchanged = marks.filter((mark) => {
      const goes = !kept.has(mark.image.digest) && this.#mayGo(mark, present.get(mark.image.digest), going)
      if (goes && mark.rule.action === 'expire') going.add(mark.image.digest)
      return goes
    })
    const of = (action: Mark['rule']['action']) =>
      unchanged.filter(({ rule }) => rule.action === action).map(({ image }) => image.digest)
    const expired = of('expire')
    await removeImages(trx, repository, expired, { cause: 'lifecycle', by: '', at })
    const archived = await archiveImages(trx, repository, of('transition'), at)
    await addToCounter(trx, 'lading_lifecycle_expired_total', expired.length)
    await addToCounter(trx, 'lading_lifecycle_archived_total', archived.length)
    return expired
  }

  /** Whether it is as it was evaluated, but for the indexes that went before it in this run, and what it depends on goes too. */
  #mayGo({ image, rule, subject }: Mark, now: LifecycleImage | undefined, going: ReadonlySet<Digest>): boolean {
    if (now === undefined) return false
    const went = (digest: Digest) => this.#gone.has(digest) || going.has(digest)
    const left = image.indexes.filter((index) => !this.#gone.has(index))
    if (!isDeepStrictEqual(comparable(now), comparable({ ...image, indexes: left }))) return false
    if (rule.action === 'transition') return true // What an active index still needs is not archived.
    return now.indexes.every(went) && (subject === undefined || went(subject))
  }
}

/** Tags and indexes come in no order. */
function comparable({ tags, indexes, ...facts }: LifecycleImage) {
  return { ...facts, tags: new Set(tags), indexes: new Set(indexes) }
}
