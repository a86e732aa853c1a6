import { isObject } from '#lib/json.ts'
import { bounded } from './numeric.ts'
import { onlyOperator } from './only-operator.ts'
import type { ValueTest } from './pattern.ts'
import { invalidPattern, wrongType } from './refusals.ts'
import { equalsIgnoringCase, fitsWildcards, hasPrefix, hasSuffix } from './texts.ts'

/**
 * `anything-but` holds for each value that is present and not excluded, of any type. It holds for a list if it holds for
 * one entry, as each operator does.
 *
 * @throws Refusal `EventPatternInvalid`
 */
export function anythingBut(operand: unknown, path: string): ValueTest {
  if (isObject(operand)) return anythingButTexts(operand, path)
  const excluded = new Set(
    Array.isArray(operand) ? entriesOf(operand, path) : [entryOf(operand, path, 'text, number or list')],
  )
  return (value) => !excluded.has(value)
}

function entriesOf(operand: readonly unknown[], path: string): unknown[] {
  if (operand.length === 0) throw invalidPattern(path, { problem: 'list empty' })
  const entries = operand.map((entry, index) => entryOf(entry, `${path}[${index}]`, 'text or number'))
  if (new Set(entries.map((entry) => typeof entry)).size > 1) throw invalidPattern(path, { problem: 'list mixed' })
  return entries
}

function entryOf(entry: unknown, path: string, wanted: 'text or number' | 'text, number or list'): string | number {
  if (typeof entry === 'string') return entry
  if (typeof entry === 'number') return bounded(entry, path)
  throw wrongType(path, entry, wanted)
}

const operators = {
  prefix: (text: string, path: string) => hasPrefix(notEmpty(text, path)),
  suffix: (text: string, path: string) => hasSuffix(notEmpty(text, path)),
  'equals-ignore-case': equalsIgnoringCase,
  wildcard: fitsWildcards,
} satisfies Record<string, (text: string, path: string) => (text: string) => boolean>

function anythingButTexts(operand: Readonly<Record<string, unknown>>, path: string): ValueTest {
  const [name, given] = onlyOperator(operators, operand, path)
  const at = `${path}.${name}`
  const entries = Array.isArray(given)
    ? given.map((entry, index) => [entry, `${at}[${index}]`] as const)
    : [[given, at] as const]
  if (entries.length === 0) throw invalidPattern(at, { problem: 'list empty' })
  const excluded = entries.map(([entry, at]) => {
    if (typeof entry === 'string') return operators[name](entry, at)
    throw wrongType(at, entry, Array.isArray(given) ? 'text' : 'text or list')
  })
  return (value) => typeof value !== 'string' || !excluded.some((test) => test(value))
}

function notEmpty(text: string, path: string): string {
  if (text === '') throw invalidPattern(path, { problem: 'text empty' })
  return text
}
