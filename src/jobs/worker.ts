import type { JobKind, JobPlace } from './kind.ts'

/**
 * How a job ended. `done` says what it did, for whoever looks at it later (`find.ts`); `again` makes it wait for its next part, with what that part needs to know; `giveUp` says that trying again would
 * be no use. What a worker throws is a failure that is tried again, later each time.
 */
export type Outcome<Payload> =
  | 'done'
  | { readonly done: Payload }
  | { readonly again: Payload; readonly at: number }
  | { readonly giveUp: string }

export interface WorkContext {
  /** Aborted when the process stops, and when the job is no longer this process's. Whoever works in steps ends between two of them. */
  readonly signal: AbortSignal
}

/** A kind, and who does it. */
export interface Worker {
  readonly kind: string
  readonly attempts: number
  readonly leaseMs: number
  readonly place: JobPlace
  /** Takes the payload as JSON gave it back. */
  readonly work: (document: unknown, context: WorkContext) => Promise<Outcome<unknown>>
}

/**
 * `work` may be begun more than once for one job, after a crash or a failure, and now and then while an earlier one has not noticed
 * yet that its lease is over: it commits in steps that are right whoever else commits them too.
 */
export function worker<Payload>(
  { kind, attempts, leaseMs, parse, place = 'ordinary' }: JobKind<Payload>,
  work: (payload: Payload, context: WorkContext) => Promise<Outcome<Payload>>,
): Worker {
  return { kind, attempts, leaseMs, place, work: (document, context) => work(parse(document), context) }
}
