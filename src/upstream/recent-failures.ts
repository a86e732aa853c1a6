import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { RemoteFailure, RemoteFailureReason } from '#remote/registry.ts'

/**
 * What failed at upstreams a few seconds ago, so that a crowd of clients does not repeat it. It is remembered in this process alone and
 * for seconds, so that an upstream that is mended is soon asked again.
 */
export interface RecentFailures {
  /** Why asking would fail; `absent` where the upstream has no such image. */
  find(scope: FailureScope): RecentFailure | undefined
  /** Whether this upstream did not answer a moment ago, to any request. */
  isDown(rule: string): boolean
  remember(scope: FailureScope, failure: RecentFailure): void
  /** The upstream answered. */
  forget(scope: FailureScope): void
}

export type RecentFailure = RemoteFailure | 'absent'

/** What was asked, of the upstream of which rule. */
export interface FailureScope {
  /** Names the rule, and its registry. */
  readonly rule: string
  /** A repository with its tag or digest. */
  readonly about: string
}

const mostFailures = 10_000
const longestLimitMs = 60_000

const rememberedMs = {
  absent: 3_000,
  unreachable: 5_000,
  unauthorized: 10_000,
  forbidden: 5_000,
  invalid: 10_000,
  blocked: 5_000,
  limited: 10_000,
  // Of pushes, which the cache does not make.
  missing: 5_000,
  immutable: 5_000,
  upload: 5_000,
} as const satisfies Record<RemoteFailureReason | 'absent', number>

export function createRecentFailures({ clock }: { readonly clock: Clock }): RecentFailures {
  const failures = new BoundedMap<string, { readonly failure: RecentFailure; readonly until: number }>(mostFailures)
  const down = new BoundedMap<string, number>(mostFailures)

  function findAt(key: string): RecentFailure | undefined {
    const found = failures.get(key)
    if (found === undefined) return undefined
    if (clock() < found.until) return found.failure
    failures.delete(key)
    return undefined
  }

  return {
    find: ({ rule, about }) => findAt(rule) ?? findAt(`${rule}\n${about}`),

    isDown: (rule) => clock() < (down.get(rule) ?? 0) || findAt(rule) !== undefined,

    remember({ rule, about }, failure) {
      const reason = failure === 'absent' ? failure : failure.reason
      const askedMs = failure === 'absent' || reason !== 'limited' ? undefined : failure.retryAfterMs
      const until = clock() + Math.min(askedMs ?? rememberedMs[reason], longestLimitMs)
      // A limit counts for all that the rule asks. Any other failure may concern this one image.
      failures.set(reason === 'limited' ? rule : `${rule}\n${about}`, { failure, until })
      if (reason === 'unreachable') down.set(rule, until)
    },

    forget({ rule, about }) {
      failures.delete(`${rule}\n${about}`)
      down.delete(rule)
    },
  }
}
