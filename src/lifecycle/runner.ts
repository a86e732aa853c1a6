import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { addToCounter } from '#jobs/counters.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Announcements } from '#registry/announcements.ts'
import { removeImages } from '#registry/image-removal.ts'
import { lockLive, readRemovals, selectLive } from '#registry/image-removals.ts'
import { archiveImages } from '#registry/image-status.ts'
import { findKeptInUse } from '#registry/kept-in-use.ts'
import { type LifecycleImage, readLifecycleImages, readLifecycleImagesOf } from '#registry/lifecycle-images.ts'
import { parseRepository, type Repository } from '#registry/repository.ts'
import { decide } from './decide.ts'
import type { Decision } from './evaluate.ts'
import type { PolicyExecution } from './execution.ts'
import { type LifecyclePolicy, parseLifecyclePolicy } from './policy.ts'
import { findLifecyclePolicyOf, isSettling, markEvaluated, type StoredPolicy } from './policy-rows.ts'

/**
 * Applies the policy of a repository: evaluates as a preview does, then acts in batches, each a transaction under the repository's
 * exclusive lock. An image that is not as it was when it was evaluated is left to the next run; once somebody else has made
 * a count smaller, everything is evaluated anew. A policy that is put meanwhile is left to its own run. A run that was killed is simply begun again.
 */
export interface RunnerParts {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Writes the times of pulls that this process has in memory. What others have is at most a second old. */
  readonly flushPulls: () => Promise<void>
  /** Writes rows about what was done, in the transaction that does it. */
  readonly onExecuted: (trx: Transaction, execution: PolicyExecution) => Promise<void>
  readonly announcements?: Partial<Announcements> | undefined
}

/** Images a transaction: some tens of milliseconds on SQLite, where nobody else writes meanwhile. */
const batchImages = 100

/** Told of those that a policy cannot take: children of indexes that stay, of which there may be thousands in each run. */
const mostFailures = 900

type Mark = Extract<Decision, { verdict: 'act' }>

/** Where so much goes on in a repository, others have their turn before it is looked at again. */
const evaluationsAtOnce = 10

/** `again` if too much was taken away by others to come to an end. @throws the signal's reason when it is aborted */
export async function runLifecyclePolicy(
  { metadata, clock, flushPulls, onExecuted, announcements }: RunnerParts,
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
    if (await isSettling(metadata.reader, repositoryId)) return 'done'
    const evaluatedAt = clock()
    const images = await metadata.snapshot((reader) => readLifecycleImages(reader, repositoryId, evaluatedAt))
    const parsed = parseLifecyclePolicy(policy.text)
    const decisions = await decide(parsed, images, evaluatedAt, signal)
    const marks = decisions.filter((decision) => decision.verdict === 'act')
    const run = new Run({
      ...{ metadata, clock, onExecuted, announcements, repositoryId },
      stored: policy,
      policy: parsed,
      removals,
      images,
    })
    let going = true
    for (let at = 0; at < marks.length && going; at += batchImages) {
      signal.throwIfAborted()
      going = await run.act(marks.slice(at, at + batchImages))
      await setImmediate()
    }
    if (!going) continue
    const blocked = decisions.filter((decision) => decision.verdict === 'blocked')
    await metadata.transaction(async (trx) => {
      await markEvaluated(trx, repositoryId, policy.text, evaluatedAt)
      await run.tellFailures(trx, blocked)
    })
    return 'done'
  }
  return 'again'
}

interface RunFacts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly onExecuted: RunnerParts['onExecuted']
  readonly announcements: RunnerParts['announcements']
  readonly repositoryId: number
  /** That was evaluated. */
  readonly stored: StoredPolicy
  readonly policy: LifecyclePolicy
  readonly removals: number
  readonly images: readonly LifecycleImage[]
}

class Run {
  readonly #facts: RunFacts
  /** As they should stand if nobody else took anything away. */
  #removals: number
  /** What this run has expired. */
  readonly #gone = new Set<Digest>()
  /** What is archived, be it since before this run. */
  readonly #archived: Set<Digest>

  constructor(facts: RunFacts) {
    this.#facts = facts
    this.#removals = facts.removals
    this.#archived = new Set(facts.images.filter(({ status }) => status === 'ARCHIVED').map(({ digest }) => digest))
  }

  /** False if it must be evaluated anew, or there is nothing to evaluate any more: then nothing was done. */
  async act(marks: readonly Mark[]): Promise<boolean> {
    const { metadata, repositoryId, stored } = this.#facts
    const done = await metadata.transaction(async (trx) => {
      const live = await lockLive(trx, repositoryId)
      if (live === undefined || live.removals !== this.#removals) return undefined
      if ((await findLifecyclePolicyOf(trx, repositoryId))?.text !== stored.text) return undefined
      const at = this.#facts.clock()
      const { repository } = live
      const { actions, archived } = await this.#apply(trx, repository, marks, at)
      await this.#tell(trx, { repository, actions, failures: [], at })
      return { actions, archived, removals: (await readRemovals(trx, repositoryId)) ?? 0 }
    })
    if (done === undefined) return false
    this.#removals = done.removals
    for (const { image, rule } of done.actions) if (rule.action === 'expire') this.#gone.add(image.digest)
    for (const digest of done.archived) this.#archived.add(digest)
    return true
  }

  /** Once nothing is left to do. */
  async tellFailures(trx: Transaction, blocked: readonly Extract<Decision, { verdict: 'blocked' }>[]): Promise<void> {
    if (blocked.length === 0) return
    const { repositoryId, clock } = this.#facts
    const row = await selectLive(trx, repositoryId).selectAll().executeTakeFirst()
    if (row === undefined) return
    const repository = parseRepository(row)
    await this.#tell(trx, { repository, actions: [], failures: blocked.slice(0, mostFailures), at: clock() })
  }

  async #tell(
    trx: Transaction,
    { repository, actions, failures, at }: Pick<PolicyExecution, 'repository' | 'actions' | 'failures' | 'at'>,
  ): Promise<void> {
    if (actions.length + failures.length === 0) return
    const { onExecuted, policy, stored } = this.#facts
    const { text, lastEvaluatedAt } = stored
    await onExecuted(trx, { repository, policy, text, lastEvaluatedAt, actions, failures, at })
  }

  /** Answers those on which something was done, and what was archived, be it along with one of them. */
  async #apply(trx: Transaction, repository: Repository, marks: readonly Mark[], at: number) {
    const digests = marks.map(({ image }) => image.digest)
    const present = await readLifecycleImagesOf(trx, repository.id, digests)
    // What was reported meanwhile counts, too.
    const kept = await findKeptInUse(trx, repository, digests, at)
    const unchanged = this.#withAllTheyNeed(
      marks.filter((mark) => !kept.has(mark.image.digest) && this.#isUnchanged(mark, present.get(mark.image.digest))),
    )
    const of = (action: Mark['rule']['action']) =>
      unchanged.filter(({ rule }) => rule.action === action).map(({ image }) => image.digest)
    const expired = of('expire')
    const act = { cause: 'lifecycle', by: '', at } as const
    const { announcements } = this.#facts
    await removeImages(trx, repository, expired, act, announcements)
    const archived = await archiveImages(trx, repository, of('transition'), act, announcements)
    await addToCounter(trx, 'lading_lifecycle_expired_total', expired.length)
    await addToCounter(trx, 'lading_lifecycle_archived_total', archived.length)
    const acted = new Set([...expired, ...archived])
    return { actions: unchanged.filter(({ image }) => acted.has(image.digest)), archived }
  }

  /** Whether it is as it was evaluated, but for the indexes that went before it in this run. */
  #isUnchanged({ image }: Mark, now: LifecycleImage | undefined): boolean {
    if (now === undefined) return false
    const left = image.indexes.filter((index) => !this.#gone.has(index))
    return isDeepStrictEqual(comparable(now), comparable({ ...image, indexes: left }))
  }

  /** Those of a batch whose indexes and subjects have gone, or into the archive, or go there with them. */
  #withAllTheyNeed(marks: readonly Mark[]): readonly Mark[] {
    const of = (action: Mark['rule']['action']) =>
      new Set(marks.filter(({ rule }) => rule.action === action).map(({ image }) => image.digest))
    const [going, resting] = [of('expire'), of('transition')]
    const goes = (digest: Digest) => this.#gone.has(digest) || going.has(digest)
    const rests = (digest: Digest) => this.#archived.has(digest) || resting.has(digest) || goes(digest)
    const left = marks.filter(({ image, rule, subject }) => {
      const lets = rule.action === 'expire' ? goes : rests
      return image.indexes.every(lets) && (subject === undefined || lets(subject))
    })
    return left.length === marks.length ? left : this.#withAllTheyNeed(left)
  }
}

/** Tags and indexes come in no order. */
function comparable({ tags, indexes, ...facts }: LifecycleImage) {
  return { ...facts, tags: new Set(tags), indexes: new Set(indexes) }
}
