/** Repositories for the evaluator, as vectors and generators write them: images by name, their times as ages in days. */
import { evaluate } from '#lifecycle/evaluate.ts'
import type { LifecyclePolicy } from '#lifecycle/policy.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'

export const now = Date.UTC(2026, 10, 25)
export const dayMs = 24 * 60 * 60 * 1_000

export interface WrittenImage {
  readonly tags: readonly string[]
  readonly pushed: number
  readonly pulled?: number | undefined
  readonly archived?: number | undefined
  readonly restored?: number | undefined
  readonly subject?: string | undefined
  readonly children?: readonly string[] | undefined
  /** The clusters that reported it, for a day from now. */
  readonly inUseBy?: readonly string[] | undefined
}

export type WrittenImages = Readonly<Record<string, WrittenImage>>

/** Digests have the order of the names. */
function digestOf(name: string): Digest {
  return parseDigest(`sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`)
}

export function nameOf(digest: Digest): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').toString().replaceAll('\0', '')
}

export function readImages(written: WrittenImages): LifecycleImage[] {
  const at = (age: number | undefined) => (age === undefined ? undefined : now - age * dayMs)
  return Object.entries(written).map(([name, image]) => ({
    digest: digestOf(name),
    tags: image.tags.map(parseTag),
    status: image.archived === undefined ? 'ACTIVE' : 'ARCHIVED',
    sizeBytes: 0,
    pushedAt: now - image.pushed * dayMs,
    pulledAt: at(image.pulled),
    archivedAt: at(image.archived),
    activatedAt: at(image.restored),
    subject: image.subject === undefined ? undefined : digestOf(image.subject),
    indexes: Object.keys(written)
      .filter((parent) => written[parent]?.children?.includes(name))
      .map(digestOf),
    inUseBy: (image.inUseBy ?? []).map((cluster) => ({ cluster, until: now + dayMs })),
  }))
}

/** What happens, by the names of the images and the priorities of the rules; `acted` in order. */
export interface Outcome {
  readonly acted: readonly (readonly [image: string, rule: number])[]
  readonly blocked: readonly (readonly [image: string, rule: number])[]
  readonly kept: readonly string[]
}

export function outcomeOf(policy: LifecyclePolicy, images: readonly LifecycleImage[]): Outcome {
  const acted: [string, number][] = []
  const blocked: [string, number][] = []
  const kept: string[] = []
  for (const decision of decide(policy, images)) {
    const name = nameOf(decision.image.digest)
    if (decision.verdict === 'keep') kept.push(name)
    else (decision.verdict === 'act' ? acted : blocked).push([name, decision.rule.priority])
  }
  return { acted, blocked, kept }
}

/** The evaluation without its pauses. */
export function decide(policy: LifecyclePolicy, images: readonly LifecycleImage[]) {
  const steps = evaluate(policy, images, now)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
