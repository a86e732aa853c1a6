/** Lifecycle evaluation a second time, as slow and as close to the words of ECR's user guide as can be. */
import type { LifecyclePolicy, LifecycleRule } from '#lifecycle/policy.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { dayMs, nameOf, now, type Outcome } from './cases.ts'

export function naiveOutcome({ rules }: LifecyclePolicy, images: readonly LifecycleImage[]): Omit<Outcome, 'kept'> {
  const find = (digest: string | undefined) => images.find((image) => image.digest === digest)
  const free = images.filter(({ subject }) => find(subject) === undefined)
  const plan = new Map<LifecycleImage, LifecycleRule>()
  const claimed = new Set<LifecycleImage>()
  for (const rule of rules) {
    const pool = free.filter((image) => inClass(rule, image) && meets(rule, image))
    const youngest = [...pool].sort((a, b) => pushed(b) - pushed(a) || (a.digest < b.digest ? 1 : -1))
    const hit =
      rule.countType === 'imageCountMoreThan'
        ? youngest.slice(rule.countNumber)
        : pool.filter((image) => now - time(rule, image) > rule.countNumber * dayMs)
    for (const image of hit) if (!claimed.has(image)) plan.set(image, rule)
    for (const image of pool) claimed.add(image)
  }

  const ruleOf = (image: LifecycleImage | undefined): LifecycleRule | undefined => {
    if (image === undefined) return undefined
    const subject = find(image.subject)
    if (subject === undefined) return plan.get(image)
    const rule = ruleOf(subject)
    return rule?.action === 'transition' && image.status !== 'ACTIVE' ? undefined : rule
  }
  const holds = (digest: string, image: LifecycleImage, going: ReadonlySet<LifecycleImage>) => {
    const index = find(digest)
    const archives = ruleOf(image)?.action === 'transition'
    if (index !== undefined && going.has(index)) return ruleOf(index)?.action === 'transition' && !archives
    return !(archives && index?.status === 'ARCHIVED')
  }
  const needed = new Set(images.filter((image) => image.inUseBy.length > 0))
  const refersTo = (index: LifecycleImage) => images.filter(({ indexes }) => indexes.includes(index.digest))
  const grow = (belongs: (image: LifecycleImage) => boolean) => {
    for (let before = -1; before !== needed.size; ) {
      before = needed.size
      for (const image of images) if (belongs(image)) needed.add(image)
    }
  }
  grow((index) => refersTo(index).some((child) => needed.has(child)))
  grow(({ indexes, subject }) => [...indexes, subject].map(find).some((owner) => owner && needed.has(owner)))
  const marked = images.filter((image) => ruleOf(image) !== undefined)
  const going = new Set(marked)
  const stays = (subject: LifecycleImage | undefined) => subject !== undefined && !going.has(subject)
  for (let before = -1; before !== going.size; ) {
    before = going.size
    for (const image of going) {
      const held = image.indexes.some((digest) => holds(digest, image, going)) || needed.has(image)
      if (held || stays(find(image.subject))) going.delete(image)
    }
  }
  const blocked = marked.filter((image) => !going.has(image) && !stays(find(image.subject)))
  const named = (set: Iterable<LifecycleImage>) =>
    [...set].map((image) => [nameOf(image.digest), ruleOf(image)?.priority ?? 0] as const)
  return { acted: named(going), blocked: named(blocked) }
}

function inClass({ storageClass }: LifecycleRule, { status }: LifecycleImage): boolean {
  return status === (storageClass === 'archive' ? 'ARCHIVED' : 'ACTIVE')
}

function meets({ tags: selection }: LifecycleRule, { tags }: LifecycleImage): boolean {
  if (selection.status !== 'tagged') return selection.status === 'any' || tags.length === 0
  const { by, entries } = selection
  return entries.every((entry) =>
    tags.some((tag) =>
      by === 'prefix' ? tag.startsWith(entry) : new RegExp(`^${entry.replaceAll('*', '.*')}$`).test(tag),
    ),
  )
}

function pushed({ pushedAt, activatedAt }: LifecycleImage): number {
  return activatedAt ?? pushedAt
}

function time({ countType }: LifecycleRule, image: LifecycleImage): number {
  if (countType === 'sinceImageTransitioned') return image.archivedAt ?? image.pushedAt
  if (countType === 'sinceImagePushed') return pushed(image)
  const { pulledAt, activatedAt, pushedAt } = image
  if (activatedAt !== undefined && (pulledAt === undefined || pulledAt < activatedAt)) return activatedAt
  return pulledAt ?? pushedAt
}
