/**
 * A budget for work at a cost that an untrusted caller chooses. A step is about the time to compare two characters. The worker spends
 * steps before or right after each piece of work; once none are left, every further `spend` throws `stepsExceeded`.
 */
export class Steps {
  readonly #limit: number
  #spent = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get spent(): number {
    return this.#spent
  }

  /** @throws `stepsExceeded` */
  spend(steps: number): void {
    this.#spent += steps
    if (this.#spent > this.#limit) throw stepsExceeded
  }
}

/** One instance, since thousands may be thrown in a row and an error's stack is costly to record. */
export const stepsExceeded = new Error('the work takes more steps than it may')

/** For work of a size that a grammar already bounds. */
export const unlimitedSteps = new Steps(Number.POSITIVE_INFINITY)
