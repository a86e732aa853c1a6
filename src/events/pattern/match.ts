import type { FieldSet, Pattern, Step } from './pattern.ts'
import { has, haveOneInCommon, keyOf, without } from './steps.ts'
import { allFitting, type Outcome, type Values, valuesAt } from './values.ts'

/**
 * Whether an event fits a pattern. It answers for each JSON value. It tests each value of the event once against each field of the same
 * name, and then looks at each value once for each combination.
 *
 * A field that must be absent may have no value in the entries that the other fields choose. The reference implementation looks only at
 * the fields that come first by name. So a pattern can fit here that does not fit there.
 */
export function matches({ root, combinations }: Pattern, event: unknown): boolean {
  const values = valuesAt(root, event)
  const unmet = without(root.required, allFitting(values))
  return combinations.some(
    (fields) => !haveOneInCommon(fields, unmet) && isMet(outcome({ step: root, fields }, values, 'may be absent')),
  )
}

/** What the step's own field needs, besides those below it. */
type Own = 'may be absent' | 'needs a value' | 'is met'

function isMet({ absent, chosen }: Outcome): boolean {
  return absent || chosen
}

/** A step, and the fields of the combination that counts. */
interface Asked {
  readonly step: Step
  readonly fields: FieldSet
}

function outcome({ step, fields }: Asked, values: Values, own: Own): Outcome {
  const field = own === 'is met' ? undefined : step.fields.find(({ number }) => has(fields, number))
  if (field === undefined) return below({ step, fields }, values, 'is met')
  const here: Outcome = {
    absent: own === 'may be absent' && field.mayBeAbsent && !values.isPresent,
    chosen: values.fitting.has(field.number),
  }
  if (values.entries.length === 0) return both(here, below({ step, fields }, values, 'is met'))
  // A value right here belongs with each entry. A value in a list within the list belongs with its own entry alone.
  const apart = here.chosen && isMet(below({ step, fields }, values, 'is met'))
  const together = below({ step, fields }, values, values.isPresent ? 'needs a value' : own)
  return { absent: together.absent, chosen: together.chosen || apart }
}

function below(asked: Asked, values: Values, own: Own): Outcome {
  if (values.entries.length === 0) return inMembers(asked, values)
  const entries = inEntries(asked, values, own)
  return values.children.size === 0 ? entries : either(entries, inMembers(asked, values))
}

/** All fields hold in one and the same entry. */
function inEntries(asked: Asked, { entries, outcomes }: Values, own: Own): Outcome {
  const key = `${own} ${keyOf(asked.step.all, asked.fields)}`
  const known = outcomes.get(key)
  if (known !== undefined) return known
  const found = entries.map((entry) => outcome(asked, entry, own)).reduce(either)
  outcomes.set(key, found)
  return found
}

function inMembers({ step: { children }, fields }: Asked, values: Values): Outcome {
  let met: Outcome = { absent: true, chosen: false }
  for (const [name, step] of children) {
    if (!haveOneInCommon(step.all, fields)) continue
    const next = values.children.get(name)
    met = both(
      met,
      next === undefined
        ? { absent: !haveOneInCommon(step.required, fields), chosen: false }
        : outcome({ step, fields }, next, 'may be absent'),
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
