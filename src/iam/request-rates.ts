import { networkOf } from '#lib/address-ranges.ts'
import { BoundedMap } from '#lib/bounded-map.ts'
import { type Bucket, fullBucket, refill } from '#lib/bucket.ts'
import type { Clock } from '#lib/clock.ts'
import { refusals } from '#lib/refusal.ts'
import type { AccountId } from '#names/account.ts'
import type { Principal } from './principal.ts'

/**
 * How many requests one principal may make in a second, where an operator sets a rate: so many on average, and ten seconds' worth at once.
 * All keys of a user and all sessions of a role share one rate. Each process counts what reaches it. The root of the deployment's own account
 * has no rate, so that an operator can act while a principal floods the server.
 */
export interface RequestRates {
  /** Counts a request after its sender is proved. Runs for each request (benchmark: manifest GET). @throws Refusal `RateExceeded` */
  require(principal: Principal): void
  /** The same for a caller without credentials, which its address stands for. @throws Refusal `RateExceeded` */
  requireAnonymous(sourceIp: string): void
}

export interface RateRefusals {
  /** After so long one more request is answered. */
  RateExceeded: { readonly retryAfterSeconds: number }
}

const refuse = refusals<RateRefusals>()

const secondsAtOnce = 10

/** Further principals push out the oldest, which then begin with a full bucket again. */
const mostPrincipals = 20_000

export interface RequestRatesParts {
  /** 0 sets no rate. */
  readonly perSecond: number
  /** The root of this account has no rate. */
  readonly account: AccountId
  readonly clock: Clock
  /** Hears of each request that is refused. */
  readonly onThrottled: () => void
}

export function createRequestRates({ perSecond, account, clock, onThrottled }: RequestRatesParts): RequestRates {
  if (perSecond === 0) return { require: () => {}, requireAnonymous: () => {} }
  const rate = { most: perSecond * secondsAtOnce, perSecond }
  const ofPrincipals = new BoundedMap<string, Bucket>(mostPrincipals)
  // Apart, so that many addresses push out no principal.
  const ofAddresses = new BoundedMap<string, Bucket>(mostPrincipals)

  function count(buckets: BoundedMap<string, Bucket>, key: string): void {
    const now = clock()
    let bucket = buckets.get(key)
    if (bucket === undefined) {
      bucket = fullBucket(rate, now)
      buckets.set(key, bucket)
    }
    const tokens = refill(bucket, rate, now)
    if (tokens < 1) {
      onThrottled()
      throw refuse('RateExceeded', { retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / perSecond)) })
    }
    bucket.tokens--
  }

  return {
    require({ identityId }) {
      if (identityId !== account) count(ofPrincipals, identityId)
    },
    requireAnonymous: (sourceIp) => count(ofAddresses, networkOf(sourceIp)),
  }
}
