import { type IncomingRows, leaseMs } from './rows.ts'

/** Why a process reads the source no more, although nothing failed. */
export type LeaseEnd = 'lost' | 'linked'

/** The right of this process to read the source of one transfer. */
export interface Lease extends Disposable {
  /** Aborted when another process leads, the upload is gone, or a client has pushed the blob meanwhile. */
  readonly signal: AbortSignal
  readonly end: LeaseEnd | undefined
  /** To be awaited before bytes are written: a process that was held up writes nothing after its lease. @throws the signal's reason */
  confirm(): Promise<void>
}

export interface Leases {
  /** From an election on, until it is disposed. `ignoreLink` where the blob is linked without intact content. */
  hold(upload: string, ignoreLink: boolean): Lease
}

const renewedEachMs = 1_000

/** Renews the leases of all transfers that this process leads, in one statement. */
export function createLeases(rows: Pick<IncomingRows, 'renew'>): Leases {
  const held = new Map<string, HeldLease>()
  let timer: NodeJS.Timeout | undefined
  let renewing: Promise<void> | undefined

  async function renewAll(): Promise<void> {
    const asked = [...held]
    const goodUntil = performance.now() + leaseMs
    const { held: own, linked } = await rows.renew()
    for (const [upload, lease] of asked) {
      if (linked.has(upload) && !lease.ignoreLink) lease.abort('linked')
      else if (own.has(upload)) lease.goodUntil = goodUntil
      else lease.abort('lost')
    }
  }

  function renew(): Promise<void> {
    renewing ??= renewAll().finally(() => {
      renewing = undefined
    })
    return renewing
  }

  function schedule(): void {
    if (timer !== undefined || held.size === 0) return
    timer = setTimeout(() => {
      timer = undefined
      // Where the database is away, no lease is extended, and `confirm` waits or throws.
      void renew()
        .catch(() => {})
        .finally(schedule)
    }, renewedEachMs)
  }

  return {
    hold(upload, ignoreLink) {
      const lease = new HeldLease(ignoreLink, renew, () => {
        held.delete(upload)
        if (held.size > 0) return
        clearTimeout(timer)
        timer = undefined
      })
      held.set(upload, lease)
      schedule()
      return lease
    },
  }
}

class HeldLease implements Lease {
  goodUntil: number = performance.now() + leaseMs
  end: LeaseEnd | undefined
  readonly ignoreLink: boolean
  readonly #ending = new AbortController()
  readonly #renew: () => Promise<void>
  readonly #release: () => void

  constructor(ignoreLink: boolean, renew: () => Promise<void>, release: () => void) {
    this.ignoreLink = ignoreLink
    this.#renew = renew
    this.#release = release
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  abort(end: LeaseEnd): void {
    this.end ??= end
    this.#ending.abort(new Error(`the lease of a transfer ended: ${end}`))
  }

  async confirm(): Promise<void> {
    if (performance.now() >= this.goodUntil) await this.#renew()
    this.signal.throwIfAborted()
  }

  [Symbol.dispose](): void {
    this.#release()
  }
}
