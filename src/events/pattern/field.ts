import { isObject } from '#lib/json.ts'
import { anythingBut } from './anything-but.ts'
import { compares } from './numeric.ts'
import { onlyOperator } from './only-operator.ts'
import { type Field, isPrimitive, type Primitive, type ValueTest } from './pattern.ts'
import { invalidPattern, type Wanted, wrongType } from './refusals.ts'
import {
  equalsIgnoringCase,
  fitsWildcards,
  hasPrefix,
  hasPrefixIgnoringCase,
  hasSuffix,
  hasSuffixIgnoringCase,
  isAddress,
  isInNetwork,
  onTexts,
} from './texts.ts'

/** The field may be absent, or one of its values holds. */
type Condition = 'absent' | ValueTest

const operators = {
  prefix: (operand, path) => affix(operand, path, hasPrefix, hasPrefixIgnoringCase),
  suffix: (operand, path) => affix(operand, path, hasSuffix, hasSuffixIgnoringCase),
  'equals-ignore-case': (operand, path) => onTexts(equalsIgnoringCase(textOf(operand, path))),
  'anything-but': anythingBut,
  numeric: compares,
  cidr: (operand, path) => onTexts(isInNetwork(textOf(operand, path), path)),
  exists,
  wildcard: (operand, path) => onTexts(fitsWildcards(textOf(operand, path), path)),
  /** Not in EventBridge's guide, but in its reference implementation. */
  exactly: (operand, path) => equals([textOf(operand, path)]),
} satisfies Record<string, (operand: unknown, path: string) => Condition>

export const operatorNames: readonly string[] = Object.keys(operators)

/** The list that a pattern gives for a field. @throws Refusal `EventPatternInvalid` */
export function parseField(path: readonly string[], list: readonly unknown[], at: string): Field {
  if (list.length === 0) throw invalidPattern(at, { problem: 'list empty' })
  const exact: Primitive[] = []
  const conditions: Condition[] = []
  for (const [index, entry] of list.entries()) {
    const place = `${at}[${index}]`
    if (isPrimitive(entry)) exact.push(entry)
    else if (isObject(entry)) conditions.push(parseOperator(entry, place))
    else throw wrongType(place, entry, 'primitive or operator')
  }
  const tests = conditions.filter((condition) => condition !== 'absent')
  return {
    path,
    tests: exact.length > 0 ? [equals(exact), ...tests] : tests,
    mayBeAbsent: conditions.includes('absent'),
  }
}

function parseOperator(object: Readonly<Record<string, unknown>>, path: string): Condition {
  const [name, operand] = onlyOperator(operators, object, path)
  return operators[name](operand, `${path}.${name}`)
}

function equals(values: readonly Primitive[]): ValueTest {
  const exact = new Set(values)
  const texts = values.filter((value) => typeof value === 'string')
  const addresses = texts.map(isAddress).filter((test) => test !== undefined)
  if (addresses.length === 0) return (value) => exact.has(value)
  return (value) => exact.has(value) || (typeof value === 'string' && addresses.some((test) => test(value)))
}

function exists(operand: unknown, path: string): Condition {
  if (typeof operand !== 'boolean') throw wrongType(path, operand, 'boolean')
  return operand ? () => true : 'absent'
}

type TextTestOf = (text: string) => (text: string) => boolean

/** `"…"`, or `{ "equals-ignore-case": "…" }`. */
function affix(operand: unknown, path: string, plain: TextTestOf, ignoringCase: TextTestOf): ValueTest {
  if (!isObject(operand)) return onTexts(plain(textOf(operand, path, 'text or ignoring case')))
  const [name, inner] = onlyOperator({ 'equals-ignore-case': true }, operand, path)
  return onTexts(ignoringCase(textOf(inner, `${path}.${name}`)))
}

function textOf(operand: unknown, path: string, wanted: Wanted = 'text'): string {
  if (typeof operand !== 'string') throw wrongType(path, operand, wanted)
  return operand
}
