/** A parsed event pattern: what an event's fields must be, and which of them in each of the combinations that `$or` makes. */

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

/** The fields of all combinations, by their names. */
export interface Step {
  /** The fields that end here. A combination has one of them at most. */
  readonly fields: readonly NumberedField[]
  readonly children: ReadonlyMap<string, Step>
  /** The fields here and below. */
  readonly all: FieldSet
  /** Those of them that need a value. */
  readonly required: FieldSet
}

export interface NumberedField extends Field {
  readonly number: number
}

/** A bit for each field of the pattern. Patterns may have 1,000 combinations of 400 fields, and many patterns stay in memory. */
export type FieldSet = Uint32Array

export interface Pattern {
  readonly root: Step
  readonly combinations: readonly FieldSet[]
}

export function isPrimitive(value: unknown): value is Primitive {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
