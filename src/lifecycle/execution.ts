import type { RepositoryKey } from '#registry/repository.ts'
import type { Cause, Decision } from './evaluate.ts'
import type { LifecyclePolicy } from './policy.ts'

/** What a part of a run did, told in its transaction: the images on which the policy acted, and those that it could not take. */
export interface PolicyExecution {
  readonly repository: RepositoryKey
  readonly policy: LifecyclePolicy
  /** As it was put. */
  readonly text: string
  /** When the policy was last evaluated before, in milliseconds since the epoch. */
  readonly lastEvaluatedAt: number | undefined
  readonly actions: readonly Acted[]
  readonly failures: readonly Blocked[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** An image as it was before. */
export type Acted = Pick<Decision, 'image'> & Pick<Cause, 'rule'>
export type Blocked = Acted & Pick<Extract<Decision, { verdict: 'blocked' }>, 'indexes' | 'inUseBy'>
