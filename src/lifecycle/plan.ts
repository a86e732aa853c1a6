import type { Digest } from '#names/digest.ts'
import type { Uses } from '#registry/in-use.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { byAge } from './age.ts'
import type { LifecycleRule } from './policy.ts'

/**
 * From the images that rules marked to those that are acted on. Whatever refers to an image by its subject comes along with it; an
 * image to which an index refers stays until the index has gone (ECR user guide, "Lifecycle policies", "Considerations"); and what is
 * in use stays.
 */
export interface Marked {
  readonly image: LifecycleImage
  readonly rule: LifecycleRule
  /** As in `Finding` of `evaluate.ts`. */
  readonly measured: number
  /** What was marked, where this image only follows its subject. */
  readonly subject: Digest | undefined
}

export interface Settled {
  /** In no order. */
  readonly acting: readonly Marked[]
  /** Marked, and stays for that. What follows its subject is not here, where that stays. */
  readonly blocked: ReadonlyMap<Digest, Marked & Block>
}

/** Why a marked image stays: one of the two is not empty. */
export interface Block {
  /** Those that stay and refer to it. */
  readonly indexes: readonly Digest[]
  /** Who runs it, or something that needs it. */
  readonly inUseBy: Uses
}

/**
 * The largest set of marked images and their referrers without those in `uses` in which nothing outlives what it depends on. Linear, and
 * mostly idle for images that have nothing to do with another, as are most.
 */
export function settle(
  marked: readonly Marked[],
  images: readonly LifecycleImage[],
  uses: ReadonlyMap<Digest, Uses>,
): Settled {
  const referrers = groupBy(images, ({ subject }) => (subject === undefined ? none : [subject]))
  const children = groupBy(images, ({ indexes }) => indexes)
  // Asks no empty map: of a text that was never looked up that takes longest.
  const isFree = ({ image: { digest, subject, indexes } }: Marked) =>
    subject === undefined &&
    indexes.length === 0 &&
    !(referrers.size > 0 && referrers.has(digest)) &&
    !(children.size > 0 && children.has(digest)) &&
    !(uses.size > 0 && uses.has(digest))
  const { free = [], bound = [] } = Object.groupBy(marked, (mark) => (isFree(mark) ? 'free' : 'bound'))
  const { acting, blocked } = settleBound({ bound, images, uses, referrers, children })
  return { acting: [...free, ...acting], blocked }
}

type Groups = ReadonlyMap<Digest, readonly LifecycleImage[]>

function settleBound({
  bound,
  images,
  uses,
  referrers,
  children,
}: {
  bound: readonly Marked[]
  images: readonly LifecycleImage[]
  uses: ReadonlyMap<Digest, Uses>
  referrers: Groups
  children: Groups
}) {
  const archived = new Set(images.filter(({ status }) => status === 'ARCHIVED').map(({ digest }) => digest))
  const all = withReferrers(bound, referrers)
  const acting = new Map(all)
  const blockers = ({ image, rule }: Marked) =>
    image.indexes.filter((index) => !lets(rule, acting.get(index), archived.has(index)))
  const leftBehind = ({ subject }: Marked) => subject !== undefined && !acting.has(subject)
  const stays = (mark: Marked) => uses.has(mark.image.digest) || leftBehind(mark) || blockers(mark).length > 0

  const waiting = [...all.values()].filter(
    ({ subject, image }) => subject !== undefined || image.indexes.length > 0 || uses.has(image.digest),
  )
  for (let mark = waiting.pop(); mark !== undefined; mark = waiting.pop()) {
    const { digest } = mark.image
    if (!acting.has(digest) || !stays(mark)) continue
    acting.delete(digest)
    for (const dependent of [...(children.get(digest) ?? none), ...(referrers.get(digest) ?? none)]) {
      const again = acting.get(dependent.digest)
      if (again !== undefined) waiting.push(again)
    }
  }
  const blocked = [...all.values()]
    .filter((mark) => !acting.has(mark.image.digest) && !leftBehind(mark))
    .map(
      (mark) =>
        [
          mark.image.digest,
          { ...mark, indexes: blockers(mark), inUseBy: uses.get(mark.image.digest) ?? none },
        ] as const,
    )
  return { acting: acting.values(), blocked: new Map(blocked) }
}

/** Those marked and, under the same rule, what has one of them for its subject, and so on. What is archived already stays so. */
function withReferrers(marked: readonly Marked[], referrers: Groups) {
  const all = new Map<Digest, Marked>()
  const waiting = [...marked]
  for (let mark = waiting.pop(); mark !== undefined; mark = waiting.pop()) {
    const { image, rule, measured } = mark
    all.set(image.digest, mark)
    for (const referrer of referrers.get(image.digest) ?? none) {
      if (rule.action === 'transition' && referrer.status !== 'ACTIVE') continue
      waiting.push({ image: referrer, rule, measured, subject: image.digest })
    }
  }
  return all
}

/** Whether an index lets go of an image to which it refers: it goes itself, or it is archived and so may the image be. */
function lets(rule: LifecycleRule, index: Marked | undefined, archived: boolean): boolean {
  if (index?.rule.action === 'expire') return true
  return rule.action === 'transition' && (index !== undefined || archived)
}

/**
 * By priority and the older first (user guide, as above), but an index before what it refers to, and a subject before what follows it,
 * which otherwise would have to wait for another run. An index may have one of its own children for its subject: then the first counts.
 */
export function applicationOrder(acting: readonly Marked[]): readonly Marked[] {
  const marks = acting.toSorted(byTurn)
  const order = arrange(marks, ({ image, subject }) =>
    subject === undefined ? image.indexes : [...image.indexes, subject],
  )
  if (order.length === marks.length) return order
  const placed = new Set(order)
  const waitForEachOther = marks.filter((mark) => !placed.has(mark))
  return [...order, ...arrange(waitForEachOther, ({ image }) => image.indexes)]
}

/** As they come, but each behind those of `before`, as far as they are among `marks`. Leaves out what waits for itself. */
function arrange(marks: readonly Marked[], before: (mark: Marked) => readonly Digest[]): readonly Marked[] {
  const followers = groupBy(marks, before)
  if (followers.size === 0) return marks
  const leading = new Set(marks.map(({ image }) => image.digest).filter((digest) => followers.has(digest)))
  /** Of those that have to wait, for how many others. */
  const pending = new Map<Marked, number>()
  for (const mark of marks) {
    const others = before(mark).filter((digest) => leading.has(digest)).length
    if (others > 0) pending.set(mark, others)
  }
  const order: Marked[] = []
  for (const start of marks) {
    if (pending.has(start)) continue
    const ready = [start]
    for (const mark of ready) {
      order.push(mark)
      // What had to wait for it and for nothing else comes right behind it.
      for (const follower of followers.get(mark.image.digest) ?? none) {
        const left = (pending.get(follower) ?? 0) - 1
        pending.set(follower, left)
        if (left === 0) ready.push(follower)
      }
    }
  }
  return order
}

function byTurn({ image: a, rule: first }: Marked, { image: b, rule: second }: Marked): number {
  return first.priority - second.priority || byAge(a, b)
}

const none: readonly never[] = []

function groupBy<Item>(items: readonly Item[], keysOf: (item: Item) => readonly Digest[]): Map<Digest, Item[]> {
  const groups = new Map<Digest, Item[]>()
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [item])
      else group.push(item)
    }
  }
  return groups
}
