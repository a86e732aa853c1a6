/**
 * A map that forgets its oldest entries to make room for a new one. Oldest by when it was put in: a look-up moves nothing,
 * so that it costs no more than in any other map. Each entry weighs one, unless `weigh` says otherwise. The newest entry always stays.
 */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #limit: number
  readonly #weigh: (value: Value) => number
  #weight = 0

  constructor(limit: number, weigh: (value: Value) => number = () => 1) {
    super()
    this.#limit = limit
    this.#weigh = weigh
  }

  override set(key: Key, value: Value): this {
    this.delete(key)
    this.#weight += this.#weigh(value)
    for (const oldest of this.keys()) {
      if (this.#weight <= this.#limit) break
      this.delete(oldest)
    }
    return super.set(key, value)
  }

  override delete(key: Key): boolean {
    const value = this.get(key)
    if (value !== undefined) this.#weight -= this.#weigh(value)
    return super.delete(key)
  }

  override clear(): void {
    this.#weight = 0
    super.clear()
  }
}
