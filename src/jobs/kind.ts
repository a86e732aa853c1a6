/**
 * What may be asked for. A kind is data with a name that outlives deploys, so that whoever asks for a job knows nothing of who does
 * it; `worker.ts` brings the two together.
 */
export interface JobKind<Payload> {
  readonly kind: string
  /** How often it is tried before it has failed. */
  readonly attempts: number
  /** After so long without a sign of life of its process another one takes it. */
  readonly leaseMs: number
  /** Of what JSON gives back of a payload that was asked for, perhaps by an older version. @throws where it is none */
  readonly parse: (document: unknown) => Payload
  /** What the job is about: of one kind and key at most one waits, and at most one runs. */
  readonly key: (payload: Payload) => string
  /** Where it runs; `ordinary` by default. */
  readonly place?: JobPlace
}

/**
 * Jobs of one place never wait for those of another. `aside`: long work that is in no hurry, one at a time in a process. `transfer`: work
 * that waits for other servers most of the time.
 */
export type JobPlace = 'ordinary' | 'aside' | 'transfer'

export function jobKind<Payload>(kind: JobKind<Payload>): JobKind<Payload> {
  return kind
}
