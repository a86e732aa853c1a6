import type { ValueTest } from './pattern.ts'
import { invalidPattern, wrongType } from './refusals.ts'

/** EventBridge's limit for the numbers of `numeric`. Values of events may be larger and are compared as any number. */
const mostNumber = 5e9

const comparisons = {
  '=': (value: number, bound: number) => value === bound,
  '>': (value: number, bound: number) => value > bound,
  '>=': (value: number, bound: number) => value >= bound,
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
} satisfies Record<string, (value: number, bound: number) => boolean>

type Sign = keyof typeof comparisons

const signs = Object.keys(comparisons)

/** `[sign, number]`, or a range: `[">" or ">=", number, "<" or "<=", larger number]`. @throws Refusal `EventPatternInvalid` */
export function compares(operand: unknown, path: string): ValueTest {
  if (!Array.isArray(operand)) throw wrongType(path, operand, 'list')
  if (operand.length !== 2 && operand.length !== 4) throw invalidPattern(path, { problem: 'comparisons' })
  const [sign, bound] = comparison(operand, 0, path)
  if (operand.length === 2) return (value) => typeof value === 'number' && comparisons[sign](value, bound)
  const [upperSign, upper] = comparison(operand, 2, path)
  if (!sign.startsWith('>') || !upperSign.startsWith('<')) throw invalidPattern(path, { problem: 'range order' })
  if (bound >= upper) throw invalidPattern(path, { problem: 'range empty' })
  return (value) => typeof value === 'number' && comparisons[sign](value, bound) && comparisons[upperSign](value, upper)
}

function comparison(operand: readonly unknown[], at: number, path: string): [Sign, number] {
  const sign = operand[at]
  if (typeof sign !== 'string') throw wrongType(`${path}[${at}]`, sign, 'text')
  if (!isSign(sign))
    throw invalidPattern(`${path}[${at}]`, { problem: 'comparison unknown', name: sign, allowed: signs })
  return [sign, bounded(operand[at + 1], `${path}[${at + 1}]`)]
}

function isSign(text: string): text is Sign {
  return Object.hasOwn(comparisons, text)
}

/** A number that EventBridge can compare. @throws Refusal `EventPatternInvalid` */
export function bounded(value: unknown, path: string): number {
  if (typeof value !== 'number') throw wrongType(path, value, 'number')
  if (Math.abs(value) > mostNumber) {
    throw invalidPattern(path, { problem: 'number out of range', found: value, most: mostNumber })
  }
  return value
}
