import type { Digest } from '#names/digest.ts'
import { isFresh, type RuleSettings } from './rule-settings.ts'

/** What is known of a tag here, and of what its upstream said of it. */
export interface TagState {
  /** What the tag points to in the repository. */
  readonly local: Digest | undefined
  readonly isImmutable: boolean
  readonly cached: CachedTag | undefined
}

export interface CachedTag {
  /** What the upstream said that the tag points to. */
  readonly digest: Digest
  /** What the tag pointed to here when the upstream said so. */
  readonly over: Digest | undefined
  /** Milliseconds since the epoch. */
  readonly checkedAt: number
  /** Whether a manifest of that digest waits for its content, and how that goes. */
  readonly pending: 'none' | 'arriving' | 'failing'
}

/**
 * How a pull by tag is answered. `local`: by the image that the tag points to, which `isStale` where a newer one cannot be had. `pending`:
 * by a manifest that refers to content still on its way. `check`: the upstream is asked first; `otherwise` is the answer where it fails.
 */
export type TagPlan =
  | { readonly do: 'local'; readonly isStale?: boolean }
  | { readonly do: 'pending'; readonly digest: Digest }
  | { readonly do: 'check'; readonly known: Digest | undefined; readonly otherwise: 'local' | 'pending' | 'none' }

/**
 * Pure. A tag that was pushed here never asks the upstream, nor does an immutable one that is here. Any other is checked when its
 * age is over (ECR user guide, "Sync an upstream registry with an Amazon ECR private registry").
 */
export function planOf(
  { local, isImmutable, cached }: TagState,
  { now, settings }: { readonly now: number; readonly settings: RuleSettings },
): TagPlan {
  if (local !== undefined && (isImmutable || cached === undefined)) return { do: 'local' }
  if (cached === undefined) return { do: 'check', known: undefined, otherwise: 'none' }
  // A push moved the tag after the upstream was asked.
  if (local !== undefined && local !== cached.digest && local !== cached.over) return { do: 'local' }
  const fresh = isFresh(cached.checkedAt, settings, now)
  if (local === cached.digest) return fresh ? { do: 'local' } : { do: 'check', known: local, otherwise: 'local' }
  if (cached.pending === 'none') {
    return { do: 'check', known: local, otherwise: local === undefined ? 'none' : 'local' }
  }
  if (fresh && cached.pending === 'failing' && local !== undefined) return { do: 'local', isStale: true }
  if (fresh) return { do: 'pending', digest: cached.digest }
  return { do: 'check', known: cached.digest, otherwise: local === undefined ? 'pending' : 'local' }
}

/** Pure. Until when a tag is answered by the image that it points to, without a question; 0 where it is not. */
export function localUntil(state: TagState, settings: RuleSettings): number {
  const { local, cached } = state
  const plan = planOf(state, { now: cached?.checkedAt ?? 0, settings })
  if (local === undefined || plan.do !== 'local' || plan.isStale) return 0
  const isTheirs = cached !== undefined && !state.isImmutable && local === cached.digest
  if (!isTheirs) return Number.POSITIVE_INFINITY
  return settings.maxAgeMs === 'never' ? Number.POSITIVE_INFINITY : cached.checkedAt + settings.maxAgeMs
}
