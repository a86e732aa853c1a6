import { matchesWildcard } from '#lib/wildcard.ts'
import type { Digest } from '#names/digest.ts'
import { spreadUses } from '#registry/in-use.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { byAge, countsFrom, dayMs } from './age.ts'
import { applicationOrder, type Block, type Marked, settle } from './plan.ts'
import type { LifecyclePolicy, LifecycleRule, TagSelection } from './policy.ts'

/**
 * What a policy does with the images of a repository, and why. Pure: images and the time come in, decisions come out, and nothing
 * is done. Every rule sees the whole repository; an image is claimed by the first rule whose storage class and tags it meets,
 * even if that rule keeps it, and later rules count it all the same (ECR user guide, "How lifecycle policies work").
 *
 * Beyond ECR's documents: an image that is in use is counted and claimed as any other, and is not acted on. An image whose subject is in the repository is under no rule, and goes where its subject goes, so that
 * no rule for untagged images takes the signature of an image that stays.
 */
export type Decision = { readonly image: LifecycleImage } & (
  | ({ readonly verdict: 'act' } & Cause)
  /** Marked, but those indexes stay and refer to it, or it is in use. */
  | ({ readonly verdict: 'blocked' } & Block & Cause)
  | { readonly verdict: 'keep'; readonly why: Reason }
)

/** The rule, and if it marked not this image but its subject, that. */
export interface Cause extends Finding {
  readonly subject: Digest | undefined
}

/** What a rule found of the image that it claimed, or of the subject that the image follows. */
export interface Finding {
  readonly rule: LifecycleRule
  /**
   * What it decided by. Of a rule that counts: the image's place among those that it counts, the youngest first and from 1. Of one
   * that goes by age: from when that counts, in milliseconds since the epoch.
   */
  readonly measured: number
}

export type Reason =
  | { readonly reason: 'no rule' }
  /** It meets the rule, which keeps it: it is young enough, or among those that stay. */
  | ({ readonly reason: 'rule' } & Finding)
  | { readonly reason: 'subject'; readonly subject: Digest }

/**
 * One decision an image: first those that are acted on, in the order in which that must be done, then all others. The order of
 * `images` means nothing; each is there once. Work is linear in the images for each rule, but for sorting; since lists of tags
 * may be long on both sides, it is done in steps, so that a caller can let others have their turn between two.
 */
export function* evaluate(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: number,
): Generator<undefined, Decision[]> {
  const present = new Set(images.map(({ digest }) => digest))
  const follows = ({ subject }: LifecycleImage) => subject !== undefined && present.has(subject)
  const youngestFirst = images.filter((image) => !follows(image)).sort((a, b) => byAge(b, a))
  yield

  const claims = new Map<LifecycleImage, Finding & { readonly hit: boolean }>()
  const turn = new Turn()
  for (const rule of policy.rules) {
    let place = 0
    const limit = now - rule.countNumber * dayMs
    for (const image of youngestFirst) {
      if (turn.isOver()) yield
      if (storageClassOf(image) !== rule.storageClass || !(yield* selects(rule.tags, image, turn))) continue
      const counts = rule.countType === 'imageCountMoreThan'
      if (counts) place++
      if (claims.has(image)) continue
      const measured = counts ? place : countsFrom(rule.countType, image)
      claims.set(image, { rule, measured, hit: counts ? measured > rule.countNumber : measured < limit })
    }
  }

  const marked: Marked[] = []
  for (const [image, { rule, measured, hit }] of claims)
    if (hit) marked.push({ image, rule, measured, subject: undefined })
  yield
  const reported = images.flatMap(({ digest, inUseBy }) => (inUseBy.length > 0 ? [[digest, inUseBy] as const] : []))
  const uses = spreadUses(images, new Map(reported))
  yield
  const { acting, blocked } = settle(marked, images, uses)
  yield
  const acted = applicationOrder(acting)
  yield
  const others = images.filter((image) => !acting.has(image.digest))
  return [
    ...acted.map((mark): Decision => ({ ...mark, verdict: 'act' })),
    ...others.map((image): Decision => {
      const block = blocked.get(image.digest)
      if (block !== undefined) return { ...block, verdict: 'blocked' }
      return { image, verdict: 'keep', why: whyKept(image, claims.get(image)) }
    }),
  ]

  function whyKept(image: LifecycleImage, claim: Finding | undefined): Reason {
    if (image.subject !== undefined && follows(image)) return { reason: 'subject', subject: image.subject }
    return claim === undefined ? { reason: 'no rule' } : { reason: 'rule', rule: claim.rule, measured: claim.measured }
  }
}

/** Counts comparisons of texts, of which some hundred thousand take some milliseconds. */
class Turn {
  #left = perTurn

  spend(comparisons: number): void {
    this.#left -= comparisons
  }

  /** Once for each turn that is over. */
  isOver(): boolean {
    if (--this.#left > 0) return false
    this.#left = perTurn
    return true
  }
}

const perTurn = 100_000

function* selects(selection: TagSelection, { tags }: LifecycleImage, turn: Turn): Generator<undefined, boolean> {
  if (selection.status !== 'tagged') return selection.status === 'any' || tags.length === 0
  const meets = selection.by === 'prefix' ? startsWith : matchesWildcard
  for (const entry of selection.entries) {
    if (!tags.some((tag) => meets(entry, tag))) return false
    turn.spend(tags.length)
    if (turn.isOver()) yield
  }
  return true
}

function startsWith(prefix: string, text: string): boolean {
  return text.startsWith(prefix)
}

function storageClassOf({ status }: LifecycleImage): LifecycleRule['storageClass'] {
  return status === 'ARCHIVED' ? 'archive' : 'standard'
}
