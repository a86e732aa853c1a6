/** Time limits against slow and hostile clients, in milliseconds. None bounds a request that makes progress. */
export interface Limits {
  /** From a connection's first byte, or the end of the last answer, to the end of a request's headers; also for a TLS handshake. */
  readonly headersMs: number
  /**
   * Without a byte in either direction, while one is to come from the client, or to be taken by it. Bounds what a stalled upload or
   * download can hold, and not the work between a request's last byte and its answer.
   */
  readonly idleMs: number
  /** Between two requests on one connection; above the 60 s after which common load balancers give up theirs. */
  readonly keepAliveMs: number
  /** From the order to stop until requests that still run are cut off; below the 30 s after which Kubernetes kills. */
  readonly graceMs: number
}

export const defaultLimits: Limits = { headersMs: 30_000, idleMs: 120_000, keepAliveMs: 75_000, graceMs: 25_000 }
