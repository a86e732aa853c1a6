import type { Field, FieldSet, NumberedField, Pattern, Step } from './pattern.ts'

/** The pattern of these combinations of fields. */
export function patternOf(combinations: readonly (readonly Field[])[]): Pattern {
  const numbers = new Map<Field, number>()
  for (const field of combinations.flat()) if (!numbers.has(field)) numbers.set(field, numbers.size)
  const fields = [...numbers].map(([field, number]) => ({ ...field, number }))
  const numbersOf = (some: readonly Field[]) => some.map((field) => numbers.get(field) ?? 0)
  return {
    root: step(fields, 0, fields.length),
    combinations: combinations.map((some) => setOf(numbersOf(some), fields.length)),
  }
}

function step(fields: readonly NumberedField[], depth: number, size: number): Step {
  const deeper = fields.filter(({ path }) => path.length > depth)
  const byName = Map.groupBy(deeper, ({ path }) => path[depth] ?? '')
  return {
    fields: fields.filter(({ path }) => path.length === depth),
    children: new Map([...byName].map(([name, below]) => [name, step(below, depth + 1, size)])),
    all: setOf(
      fields.map(({ number }) => number),
      size,
    ),
    required: setOf(
      fields.filter(({ mayBeAbsent }) => !mayBeAbsent).map(({ number }) => number),
      size,
    ),
  }
}

function setOf(numbers: readonly number[], size: number): FieldSet {
  const set = new Uint32Array(Math.ceil(size / 32))
  for (const number of numbers) set[number >>> 5] = (set[number >>> 5] ?? 0) | (1 << (number & 31))
  return set
}

/** The fields of the set without these. */
export function without(set: FieldSet, numbers: ReadonlySet<number>): FieldSet {
  const rest = set.slice()
  for (const number of numbers) rest[number >>> 5] = (rest[number >>> 5] ?? 0) & ~(1 << (number & 31))
  return rest
}

export function has(set: FieldSet, number: number): boolean {
  return ((set[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0
}

/** The fields of both sets, as a text. */
export function keyOf(left: FieldSet, right: FieldSet): string {
  return left.map((word, index) => word & (right[index] ?? 0)).join()
}

export function haveOneInCommon(left: FieldSet, right: FieldSet): boolean {
  for (let index = 0; index < left.length; index++) {
    if (((left[index] ?? 0) & (right[index] ?? 0)) !== 0) return true
  }
  return false
}
