/**
 * The matcher again, slow and obvious, as the reference implementation describes it: the event is written out as a list of values with
 * their paths, and with the entries of lists that they are in. A pattern fits if it can choose a value for each field, so that no
 * two of them are in different entries of one list. It reads patterns that `parsePattern` accepts.
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
type JsonObject = { readonly [name: string]: Json }

interface Value {
  readonly path: string
  readonly value: Json
  /** The entry of each list that the value is within. */
  readonly entries: ReadonlyMap<number, number>
}

type Conditions = ReadonlyMap<string, readonly Json[]>

export function matchesNaively(pattern: JsonObject, event: Json): boolean {
  const values = isObject(event) ? valuesOf(event) : []
  return combinationsOf(pattern, '').some((conditions) => canChoose([...conditions], values, []))
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function valuesOf(event: JsonObject): Value[] {
  const values: Value[] = []
  let lists = 0
  function visit(value: Json, path: string, entries: ReadonlyMap<number, number>): void {
    if (isObject(value)) {
      for (const [name, member] of Object.entries(value)) visit(member, path === '' ? name : `${path}.${name}`, entries)
    } else if (isList(value)) {
      const list = lists++
      for (const [index, entry] of value.entries()) {
        const within = typeof entry === 'object' && entry !== null
        visit(entry, path, within ? new Map([...entries, [list, index]]) : entries)
      }
    } else {
      values.push({ path, value, entries })
    }
  }
  visit(event, '', new Map())
  return values
}

function combinationsOf(object: JsonObject, path: string): Conditions[] {
  let combinations: Conditions[] = [new Map()]
  for (const [name, value] of Object.entries(object)) {
    const at = path === '' ? name : `${path}.${name}`
    let more: Conditions[]
    if (name === '$or' && isList(value)) more = value.filter(isObject).flatMap((inner) => combinationsOf(inner, path))
    else if (isObject(value)) more = combinationsOf(value, at)
    else more = isList(value) ? [new Map([[at, value]])] : []
    combinations = combinations.flatMap((left) => more.map((right) => new Map([...left, ...right])))
  }
  return combinations
}

/** Tries each value for each field. Fields that may be absent are decided when all others have a value. */
function canChoose(
  open: readonly (readonly [string, readonly Json[]])[],
  values: readonly Value[],
  chosen: readonly Value[],
  absent: readonly string[] = [],
): boolean {
  const [field, ...others] = open
  if (field === undefined) {
    return !values.some((value) => absent.includes(value.path) && chosen.every((other) => belong(value, other)))
  }
  const [path, conditions] = field
  if (conditions.some(allowsAbsence) && canChoose(others, values, chosen, [...absent, path])) return true
  return values.some(
    (value) =>
      value.path === path &&
      chosen.every((other) => belong(value, other)) &&
      conditions.some((condition) => holds(condition, value.value)) &&
      canChoose(others, values, [...chosen, value], absent),
  )
}

function belong(one: Value, other: Value): boolean {
  return [...one.entries].every(([list, entry]) => (other.entries.get(list) ?? entry) === entry)
}

function allowsAbsence(condition: Json): boolean {
  return isObject(condition) && condition.exists === false
}

function holds(condition: Json, value: Json): boolean {
  if (!isObject(condition)) return condition === value
  const [[operator, operand] = ['', null]] = Object.entries(condition)
  if (operator === 'exists') return operand === true
  if (operator === 'numeric' && isList(operand)) return typeof value === 'number' && isWithin(operand, value)
  if (operator !== 'anything-but') return typeof value === 'string' && textHolds(operator, operand, value)
  if (isObject(operand)) {
    const [[inner, given] = ['', null]] = Object.entries(operand)
    return typeof value !== 'string' || ![given].flat().some((entry) => textHolds(inner, entry ?? null, value))
  }
  return ![operand].flat().includes(value)
}

function isWithin([sign, bound, ...others]: readonly Json[], value: number): boolean {
  if (typeof bound !== 'number') return true
  const fits =
    (sign === '=' && value === bound) ||
    (sign === '<' && value < bound) ||
    (sign === '<=' && value <= bound) ||
    (sign === '>' && value > bound) ||
    (sign === '>=' && value >= bound)
  return fits && isWithin(others, value)
}

function textHolds(operator: string, operand: Json, value: string): boolean {
  if (isObject(operand)) {
    return textHolds(operator, String(operand['equals-ignore-case']).toUpperCase(), value.toUpperCase())
  }
  const text = String(operand)
  if (operator === 'prefix') return value.slice(0, text.length) === text
  if (operator === 'suffix') return value.length >= text.length && value.slice(value.length - text.length) === text
  if (operator === 'equals-ignore-case') return value.toUpperCase() === text.toUpperCase()
  if (operator === 'wildcard') return fitsWildcards(text, value)
  throw new Error(`no operator ${operator}`)
}

function fitsWildcards(pattern: string, value: string): boolean {
  if (pattern === '') return value === ''
  if (pattern.startsWith('*')) {
    return fitsWildcards(pattern.slice(1), value) || (value !== '' && fitsWildcards(pattern, value.slice(1)))
  }
  const literal = pattern.startsWith('\\') ? pattern.slice(1) : pattern
  return value !== '' && literal[0] === value[0] && fitsWildcards(literal.slice(1), value.slice(1))
}
