import { matchesGlob, parseStars } from '#lib/glob.ts'
import type { Digest } from '#names/digest.ts'
import { spreadUses } from '#registry/in-use.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { countsFrom, dayMs, sortYoungestFirst } from './age.ts'
import { applicationOrder, type Block, type Marked, settle } from './plan.ts'
import type { LifecyclePolicy, LifecycleRule } from './policy.ts'

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
 * One decision an image: first those that are acted on, in the order in which that must be done, then all others, the youngest first
 * and those that follow their subject last. The order of `images` means nothing; each is there once. Work is linear in the images for
 * each rule, but for sorting; since lists of tags may be long on both sides, it is done in steps, so that a caller can let others have
 * their turn between two.
 */
export function* evaluate(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: number,
): Generator<undefined, Decision[]> {
  const follows = followersOf(images)
  const youngestFirst = sortYoungestFirst(images.filter((image) => !follows(image)))
  yield

  /** By place in `youngestFirst`. */
  const claims: (Claim | undefined)[] = youngestFirst.map(() => undefined)
  const turn = new Turn()
  for (const rule of policy.rules) {
    const claiming = new Claiming(rule, now)
    while (!claiming.go(youngestFirst, claims, turn)) yield
  }
  const marked = youngestFirst.flatMap((image, place): Marked[] => {
    const claim = claims[place]
    return claim?.hit ? [{ image, rule: claim.rule, measured: claim.measured, subject: undefined }] : []
  })
  yield
  const reported = images.flatMap(({ digest, inUseBy }) => (inUseBy.length > 0 ? [[digest, inUseBy] as const] : []))
  const uses = spreadUses(images, new Map(reported))
  yield
  const { acting, blocked } = settle(marked, images, uses)
  yield
  const decisions = applicationOrder(acting).map(
    ({ image, rule, measured, subject }): Decision => ({ image, verdict: 'act', rule, measured, subject }),
  )
  yield
  const followed = new Set(decisions.flatMap(({ image }) => (follows(image) ? [image] : [])))
  const keep = (image: LifecycleImage, why: Reason) => {
    const block = blocked.get(image.digest)
    decisions.push(block === undefined ? { image, verdict: 'keep', why } : { ...block, verdict: 'blocked' })
  }
  youngestFirst.forEach((image, place) => {
    const claim = claims[place]
    if (!claim?.hit || blocked.has(image.digest)) keep(image, whyKept(claim))
  })
  yield
  for (const image of images) {
    if (image.subject === undefined || !follows(image) || followed.has(image)) continue
    keep(image, { reason: 'subject', subject: image.subject })
  }
  return decisions
}

interface Claim extends Finding {
  readonly hit: boolean
}

/** One rule's way through the images. Not a generator itself: those are slow where most steps are short. */
class Claiming {
  readonly #rule: LifecycleRule
  /** Whoever counts from before is hit by a rule that goes by age. */
  readonly #limit: number
  /** One for each entry of the rule's list. */
  readonly #entries: readonly ((tag: string) => boolean)[]
  #place = 0
  /** The first of the entries that is not known to be met by the image in this place. */
  #entry = 0
  #counted = 0

  constructor(rule: LifecycleRule, now: number) {
    this.#rule = rule
    this.#limit = now - rule.countNumber * dayMs
    this.#entries = tagTests(rule.tags)
  }

  /** Goes on until the turn is over, or to the end: whether it has come there. */
  go(images: readonly LifecycleImage[], claims: (Claim | undefined)[], turn: Turn): boolean {
    for (; ; this.#place++) {
      const image = images[this.#place]
      if (image === undefined) return true
      if (turn.isOver()) return false
      const selected = this.#selects(image, turn)
      if (selected === undefined) return false
      this.#entry = 0
      if (selected) this.#claim(image, claims)
    }
  }

  #claim(image: LifecycleImage, claims: (Claim | undefined)[]): void {
    const { countType, countNumber } = this.#rule
    const counts = countType === 'imageCountMoreThan'
    if (counts) this.#counted++
    if (claims[this.#place] !== undefined) return
    const measured = counts ? this.#counted : countsFrom(countType, image)
    claims[this.#place] = { rule: this.#rule, measured, hit: counts ? measured > countNumber : measured < this.#limit }
  }

  /** `undefined` if the turn is over before that is known. */
  #selects(image: LifecycleImage, turn: Turn): boolean | undefined {
    const {
      storageClass,
      tags: { status },
    } = this.#rule
    if (storageClassOf(image) !== storageClass) return false
    if (status !== 'tagged') return status === 'any' || image.tags.length === 0
    for (; this.#entry < this.#entries.length; this.#entry++) {
      const meets = this.#entries[this.#entry]
      if (turn.isOver()) return undefined
      if (meets !== undefined && !image.tags.some(meets)) return false
      turn.spend(image.tags.length)
    }
    return true
  }
}

function whyKept(claim: Claim | undefined): Reason {
  return claim === undefined ? { reason: 'no rule' } : { reason: 'rule', rule: claim.rule, measured: claim.measured }
}

/** Tells of an image whether its subject is among the images. */
function followersOf(images: readonly LifecycleImage[]): (image: LifecycleImage) => boolean {
  if (images.every(({ subject }) => subject === undefined)) return () => false
  const present = new Set(images.map(({ digest }) => digest))
  return ({ subject }) => subject !== undefined && present.has(subject)
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

function tagTests(tags: LifecycleRule['tags']): ((tag: string) => boolean)[] {
  if (tags.status !== 'tagged') return []
  if (tags.by === 'prefix') return tags.entries.map((prefix) => (tag) => tag.startsWith(prefix))
  return tags.entries.map(parseStars).map((glob) => (tag) => matchesGlob(glob, tag))
}

function storageClassOf({ status }: LifecycleImage): LifecycleRule['storageClass'] {
  return status === 'ARCHIVED' ? 'archive' : 'standard'
}
