import type { Pattern, Step } from './pattern.ts'
import { type Values, valuesAt } from './values.ts'

/**
 * Whether an event fits a pattern. It answers for each JSON value. It tests each value of the event once against each field of the same
 * name, and then looks at each value once for each combination.
 *
 * A field that must be absent may have no value in the entries that the other fields choose. The reference implementation looks only at
 * the fields that come first by name. So a pattern can fit here that does not fit there.
 */
export function matches({ any, combinations }: Pattern, event: unknown): boolean {
  const values = valuesAt(any, event)
  return combinations.some((step) => isMet(outcome(step, values, 'may be absent')))
}

/** The ways in which all fields of a step can hold. */
interface Outcome {
  /** Each may be absent, and none has a value. */
  readonly absent: boolean
  /** One value or more is chosen, and each other field may be absent and has no value in the chosen entries. */
  readonly chosen: boolean
}

/** What the step's own field needs, besides those below it. */
type Own = 'may be absent' | 'needs a value' | 'is met'

function isMet({ absent, chosen }: Outcome): boolean {
  return absent || chosen
}

function outcome(step: Step, values: Values, own: Own): Outcome {
  if (step.field === undefined || own === 'is met') return below(step, values, 'is met')
  const here: Outcome = {
    absent: own === 'may be absent' && step.field.mayBeAbsent && !values.isPresent,
    chosen: values.fitting.has(step.field),
  }
  if (values.entries.length === 0) return both(here, below(step, values, 'is met'))
  // A value right here belongs with each entry. A value in a list within the list belongs with its own entry alone.
  const apart = here.chosen && isMet(below(step, values, 'is met'))
  const together = below(step, values, values.isPresent ? 'needs a value' : own)
  return { absent: together.absent, chosen: together.chosen || apart }
}

function below(step: Step, values: Values, own: Own): Outcome {
  if (values.entries.length === 0) return inMembers(step, values)
  const entries = inEntries(step, values, own)
  return values.children.size === 0 ? entries : either(entries, inMembers(step, values))
}

/** All fields hold in one and the same entry. */
function inEntries(step: Step, { entries }: Values, own: Own): Outcome {
  return entries.map((entry) => outcome(step, entry, own)).reduce(either)
}

function inMembers(step: Step, { children }: Values): Outcome {
  let met: Outcome = { absent: true, chosen: false }
  for (const [name, next] of step.children) {
    const values = children.get(name)
    met = both(
      met,
      values === undefined ? { absent: next.mayBeAbsent, chosen: false } : outcome(next, values, 'may be absent'),
    )
    if (!isMet(met)) return met
  }
  return met
}

function both(left: Outcome, right: Outcome): Outcome {
  return {
    absent: left.absent && right.absent,
    chosen: isMet(left) && isMet(right) && (left.chosen || right.chosen),
  }
}

function either(left: Outcome, right: Outcome): Outcome {
  return { absent: left.absent && right.absent, chosen: left.chosen || right.chosen }
}
