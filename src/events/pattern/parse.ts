import { findJsonFlaw, isObject, readJson } from '#lib/json.ts'
import { operatorNames, parseField } from './field.ts'
import type { Field, Pattern } from './pattern.ts'
import { invalidPattern, wrongType } from './refusals.ts'
import { patternOf } from './steps.ts'

/** EventBridge's limit for the text of a pattern, in characters. */
const mostCharacters = 4096
/** Objects and lists within one another, and names in a field's path. EventBridge states no limit. */
const mostDepth = 100
/** EventBridge's limit for the combinations of fields that the alternatives of `$or` make. */
const mostCombinations = 1000

const or = '$or'

/** Further names that EventBridge reserves within `$or`, as its reference implementation lists them. */
const reservedNames: ReadonlySet<string> = new Set([
  ...operatorNames,
  ...['=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case'],
  ...['date-after', 'date-on-or-after', 'date-before', 'date-on-or-before', 'in-date-range'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
])

/**
 * An event pattern, as Amazon EventBridge reads it. It refuses two kinds of pattern that EventBridge accepts: one that names a member of
 * an object twice, and one that asks twice for the same field. EventBridge forgets one of the two without a word.
 *
 * @throws Refusal `EventPatternInvalid`
 */
export function parsePattern(json: string): Pattern {
  if (json.length > mostCharacters) throw invalidPattern('', { problem: 'too long', most: mostCharacters })
  const combinations = combinationsOf(readPattern(json), { path: [], at: '', inOr: false })
  requireDifferentFields(combinations)
  return patternOf(combinations)
}

function readPattern(json: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = readJson(json)
  } catch {
    throw invalidPattern('', { problem: 'syntax' })
  }
  const flaw = findJsonFlaw(json, { entries: Infinity, members: Infinity, depth: mostDepth })
  if (flaw?.flaw === 'repeated') throw invalidPattern('', { problem: 'name repeated', name: flaw.name })
  if (flaw !== undefined) throw invalidPattern('', { problem: 'too deep', most: mostDepth })
  if (!isObject(value)) throw wrongType('', value, 'object')
  return value
}

type Combination = readonly Field[]

interface Place {
  /** The path of the field in the event. */
  readonly path: readonly string[]
  /** The place in the pattern, for refusals. */
  readonly at: string
  readonly inOr: boolean
}

function combinationsOf(object: Readonly<Record<string, unknown>>, { path, at, inOr }: Place): readonly Combination[] {
  /** The fields of all combinations. They are joined to them last, since there may be many of both. */
  const common: Field[] = []
  let combinations: readonly Combination[] = [[]]
  const names = Object.keys(object)
  if (names.length === 0) throw invalidPattern(at, { problem: 'object empty' })
  for (const name of names) {
    const place = at === '' ? name : `${at}.${name}`
    if (inOr && reservedNames.has(name)) throw invalidPattern(place, { problem: 'name reserved', name })
    const value = object[name]
    const further =
      name === or
        ? alternatives(value, { path, at: place, inOr: true })
        : member(value, { path: [...path, ...name.split('.')], at: place, inOr })
    const [only] = further
    if (only !== undefined && further.length === 1) {
      common.push(...only)
    } else {
      requireFew(combinations.length * further.length, place)
      combinations = combinations.flatMap((left) => further.map((right) => [...left, ...right]))
    }
  }
  return common.length === 0 ? combinations : combinations.map((fields) => [...common, ...fields])
}

function member(value: unknown, place: Place): readonly Combination[] {
  if (isObject(value)) return combinationsOf(value, place)
  if (Array.isArray(value)) {
    if (place.path.length > mostDepth) throw invalidPattern(place.at, { problem: 'too deep', most: mostDepth })
    return [[parseField(place.path, value, place.at)]]
  }
  throw wrongType(place.at, value, 'object or list')
}

function alternatives(value: unknown, { path, at, inOr }: Place): readonly Combination[] {
  if (!Array.isArray(value)) throw wrongType(at, value, 'list')
  if (value.length < 2) throw invalidPattern(at, { problem: 'alternatives', found: value.length })
  const combinations = value.flatMap((alternative: unknown, index) => {
    const place = `${at}[${index}]`
    if (!isObject(alternative)) throw wrongType(place, alternative, 'object')
    return combinationsOf(alternative, { path, at: place, inOr })
  })
  requireFew(combinations.length, at)
  return combinations
}

function requireFew(combinations: number, path: string): void {
  if (combinations > mostCombinations) {
    throw invalidPattern(path, { problem: 'too many combinations', most: mostCombinations })
  }
}

/** EventBridge forgets one of two fields with the same path. */
function requireDifferentFields(combinations: readonly Combination[]): void {
  const names = new Map<Field, string>()
  for (const fields of combinations) {
    const found = new Set<string>()
    for (const field of fields) {
      const name = names.get(field) ?? field.path.join('.')
      names.set(field, name)
      if (found.has(name)) throw invalidPattern('', { problem: 'field repeated', name })
      found.add(name)
    }
  }
}
