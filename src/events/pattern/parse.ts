import { findJsonFlaw, isObject, readJson } from '#lib/json.ts'
import { operatorNames, parseField } from './field.ts'
import type { AnyStep, Field, Pattern, Step } from './pattern.ts'
import { invalidPattern, wrongType } from './refusals.ts'

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
  for (const fields of combinations) requireDifferentFields(fields)
  return { any: anyStep(new Set(combinations.flat()), 0), combinations: combinations.map((fields) => step(fields, 0)) }
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
    requireFew(combinations.length * further.length, place)
    combinations = combinations.flatMap((left) => further.map((right) => [...left, ...right]))
  }
  return combinations
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

function requireDifferentFields(fields: Combination): void {
  const paths = new Set<string>()
  for (const { path } of fields) {
    const name = path.join('.')
    if (paths.has(name)) throw invalidPattern('', { problem: 'field repeated', name })
    paths.add(name)
  }
}

function step(fields: Combination, depth: number): Step {
  const children = new Map([...byName(fields, depth)].map(([name, below]) => [name, step(below, depth + 1)]))
  return {
    field: fields.find(({ path }) => path.length === depth),
    children,
    mayBeAbsent: fields.every(({ mayBeAbsent }) => mayBeAbsent),
  }
}

function anyStep(fields: Iterable<Field>, depth: number): AnyStep {
  const all = [...fields]
  return {
    fields: all.filter(({ path }) => path.length === depth),
    children: new Map([...byName(all, depth)].map(([name, below]) => [name, anyStep(below, depth + 1)])),
  }
}

function byName(fields: readonly Field[], depth: number): ReadonlyMap<string, Field[]> {
  return Map.groupBy(
    fields.filter(({ path }) => path.length > depth),
    ({ path }) => path[depth] ?? '',
  )
}
