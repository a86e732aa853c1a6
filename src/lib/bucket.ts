/** A token bucket: so many at once, and so many a second after that. Its owner keeps it, and passes the time. */
export interface Bucket {
  tokens: number
  /** Milliseconds since the epoch. */
  at: number
}

export interface Rate {
  /** How many a full bucket holds. */
  readonly most: number
  readonly perSecond: number
}

export function fullBucket({ most }: Rate, now: number): Bucket {
  return { tokens: most, at: now }
}

/** Adds what the time since the last call has earned, and answers how many tokens there are: none or less for a bucket in debt. */
export function refill(bucket: Bucket, { most, perSecond }: Rate, now: number): number {
  // A clock that was set back earns nothing.
  const earned = (Math.max(0, now - bucket.at) / 1_000) * perSecond
  bucket.tokens = Math.min(most, bucket.tokens + earned)
  bucket.at = now
  return bucket.tokens
}
