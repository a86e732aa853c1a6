/** Works of one key, of which so many run at once. Others wait for their turn, in the order in which they came. */
export class Lanes {
  readonly #width: number
  readonly #lanes = new Map<string, Lane>()

  constructor(width: number) {
    this.#width = width
  }

  /** Resolves when it is this caller's turn, with what ends the turn. Rejects if the signal aborts before. */
  async enter(key: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    const lane = this.#lanes.get(key) ?? { running: 0, waiting: new Set<() => void>() }
    this.#lanes.set(key, lane)
    if (lane.running < this.#width) lane.running++
    else await turnOf(lane, signal)
    return () => this.#leave(key, lane)
  }

  #leave(key: string, lane: Lane): void {
    const [next] = lane.waiting
    if (next !== undefined) next()
    else if (--lane.running === 0) this.#lanes.delete(key)
  }
}

interface Lane {
  running: number
  readonly waiting: Set<() => void>
}

/** The place of the work that ends passes to the next one. */
function turnOf({ waiting }: Lane, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = () => {
      waiting.delete(take)
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const stop = () => {
      waiting.delete(take)
      reject(signal.reason)
    }
    waiting.add(take)
    signal.addEventListener('abort', stop, { once: true })
  })
}
