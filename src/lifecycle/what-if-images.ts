import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { Uses } from '#registry/in-use.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import type { GoesUnder } from './difference.ts'
import type { Decision } from './evaluate.ts'

/** What a policy would do with one image, and why: a decision as it is stored and told. Pure. Times are milliseconds since the epoch. */
export interface WhatIfImage {
  readonly digest: Digest
  readonly tags: readonly Tag[]
  /** Its own size: layers that others share are in it. */
  readonly sizeBytes: number
  readonly pushedAt: number
  readonly pulledAt?: number
  readonly archivedAt?: number
  readonly activatedAt?: number
  readonly verdict: WhatIfVerdict
  /** Of the rule that marked it, or claimed it and keeps it. */
  readonly priority?: number
  /** As in `Finding` of `evaluate.ts`. */
  readonly measured?: number
  /** What it follows. */
  readonly subject?: Digest
  /** Those that stay and refer to it, and so keep it from going. */
  readonly indexes?: readonly Digest[]
  /** Who runs it, or something that needs it, which keeps it too. */
  readonly inUseBy?: Uses
  /** Where a draft is held against the policy in force: under which of them it goes. */
  readonly goesUnder?: 'draft' | 'in force' | 'both'
}

/** `blocked`: marked, and kept by what refers to it or because it is in use. */
export type WhatIfVerdict = 'expire' | 'archive' | 'blocked' | 'keep'

const sides = { first: 'draft', second: 'in force', both: 'both' } as const

/** First what goes, in the order in which it would; then what is blocked; then the rest, led by what only the policy in force takes. */
export function whatIfImages(
  decisions: readonly Decision[],
  changes: ReadonlyMap<Digest, GoesUnder> | undefined,
): WhatIfImage[] {
  const spared = ({ image }: Decision) => changes?.get(image.digest) === 'second'
  const order = [
    ...decisions.filter(({ verdict }) => verdict === 'act'),
    ...decisions.filter(({ verdict }) => verdict === 'blocked'),
    ...decisions.filter((decision) => decision.verdict === 'keep' && spared(decision)),
    ...decisions.filter((decision) => decision.verdict === 'keep' && !spared(decision)),
  ]
  return order.map((decision) => {
    const goes = changes?.get(decision.image.digest)
    return {
      ...factsOf(decision.image),
      ...findingsOf(decision),
      ...(goes !== undefined && { goesUnder: sides[goes] }),
    }
  })
}

function factsOf({ digest, tags, sizeBytes, pushedAt, pulledAt, archivedAt, activatedAt }: LifecycleImage) {
  return {
    ...{ digest, tags, sizeBytes, pushedAt },
    ...(pulledAt !== undefined && { pulledAt }),
    ...(archivedAt !== undefined && { archivedAt }),
    ...(activatedAt !== undefined && { activatedAt }),
  }
}

function findingsOf(
  decision: Decision,
): Pick<WhatIfImage, 'verdict' | 'priority' | 'measured' | 'subject' | 'indexes' | 'inUseBy'> {
  if (decision.verdict === 'keep') {
    const { why } = decision
    switch (why.reason) {
      case 'no rule':
        return { verdict: 'keep' }
      case 'rule':
        return { verdict: 'keep', priority: why.rule.priority, measured: why.measured }
      case 'subject':
        return { verdict: 'keep', subject: why.subject }
    }
  }
  const { rule, measured, subject } = decision
  const cause = { priority: rule.priority, measured, ...(subject !== undefined && { subject }) }
  if (decision.verdict === 'blocked') {
    const { indexes, inUseBy } = decision
    return { verdict: 'blocked', ...cause, indexes, ...(inUseBy.length > 0 && { inUseBy }) }
  }
  return { verdict: rule.action === 'expire' ? 'expire' : 'archive', ...cause }
}
