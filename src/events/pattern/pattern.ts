/** A parsed event pattern: what an event's fields must be, in each of the combinations that `$or` makes. */

/** A JSON value that is neither an object nor a list. EventBridge compares only these. */
export type Primitive = string | number | boolean | null

export type ValueTest = (value: Primitive) => boolean

export interface Field {
  /** Names without dots, from the event's root. EventBridge reads `"a.b"` as `b` in `a`, in events too. */
  readonly path: readonly string[]
  /** One of them must hold for a value of the field. */
  readonly tests: readonly ValueTest[]
  /** Whether the field may also be absent: `{ "exists": false }`. */
  readonly mayBeAbsent: boolean
}

/** The fields of one combination, by their names. */
export interface Step {
  readonly field: Field | undefined
  readonly children: ReadonlyMap<string, Step>
  /** Whether each field from here on may be absent. */
  readonly mayBeAbsent: boolean
}

/** The fields of all combinations, by their names. */
export interface AnyStep {
  readonly fields: readonly Field[]
  readonly children: ReadonlyMap<string, AnyStep>
}

export interface Pattern {
  readonly any: AnyStep
  readonly combinations: readonly Step[]
}

export function isPrimitive(value: unknown): value is Primitive {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
