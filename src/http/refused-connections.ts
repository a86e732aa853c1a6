import type { Logger } from 'pino'

/** At most one log line in so long. */
const logEveryMs = 10_000

/** Logs connections that were closed at once. */
export class RefusedConnections {
  readonly #log: Logger
  #count = 0
  #loggedAt = Number.NEGATIVE_INFINITY

  constructor(log: Logger) {
    this.#log = log
  }

  note(facts: { readonly open: number; readonly remote: string | undefined }): void {
    this.#count++
    const now = performance.now()
    if (now - this.#loggedAt < logEveryMs) return
    this.#log.warn({ refused: this.#count, ...facts }, 'connections were closed at once, since there are too many')
    this.#count = 0
    this.#loggedAt = now
  }
}
