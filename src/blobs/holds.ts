// Who writes to which draft, within this process. The newest request wins: it asks the holder to let go, waits until that has,
// and only then proceeds, so a draft never has two writers and a retry need not wait for a dead connection's time-out.

import { refuseBlob } from './refusals.ts'

export class Holds {
  readonly #newest = new Map<string, Hold>()

  /** Resolves when the draft is the caller's alone. @throws Refusal `DraftTakenOver` if somebody newer came meanwhile */
  async take(id: string): Promise<Hold> {
    const older = this.#newest.get(id)
    const hold = new Hold(id, () => {
      if (this.#newest.get(id) === hold) this.#newest.delete(id)
    })
    this.#newest.set(id, hold)
    if (older !== undefined) {
      older.askToLetGo()
      await older.released
    }
    try {
      hold.check()
    } catch (error) {
      hold.release()
      throw error
    }
    return hold
  }
}

export class Hold {
  readonly id: string
  readonly released: Promise<void>
  readonly #release: () => void
  #asked: boolean = false
  #interrupt: ((reason: Error) => void) | undefined

  constructor(id: string, onRelease: () => void) {
    this.id = id
    const { promise, resolve } = Promise.withResolvers<void>()
    this.released = promise
    this.#release = () => {
      onRelease()
      resolve()
    }
  }

  /** @throws Refusal `DraftTakenOver` once somebody newer asked for the draft */
  check(): void {
    if (this.#asked) throw refuseBlob('DraftTakenOver', { id: this.id })
  }

  /** What `work` gives, or the refusal as soon as somebody newer asks, however long `work` still takes. */
  interruptible<T>(work: PromiseLike<T>): Promise<T> {
    // Not Promise.race with one lasting promise: that would gather a reaction for every chunk of an upload.
    return new Promise((resolve, reject) => {
      this.#interrupt = reject
      work.then(resolve, reject)
      if (this.#asked) this.askToLetGo()
    })
  }

  askToLetGo(): void {
    this.#asked = true
    this.#interrupt?.(refuseBlob('DraftTakenOver', { id: this.id }))
  }

  release(): void {
    this.#release()
  }
}
