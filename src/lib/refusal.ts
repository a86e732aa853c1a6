/**
 * A request that the domain declines, with a code and the facts that explain it. The domain words nothing: each surface
 * maps codes to its own error names, statuses and texts.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string
  readonly facts: unknown

  constructor(code: string, facts: unknown) {
    super(code)
    this.code = code
    this.facts = facts
  }
}

/** A room's `refuse`: code and facts must fit each other as `Refusals` declares, or the call does not compile. */
export function refusals<Refusals>() {
  return function refuse<Code extends keyof Refusals & string>(code: Code, facts: Refusals[Code]): Refusal {
    return new Refusal(code, facts)
  }
}
