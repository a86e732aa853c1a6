import { compileAddressRanges, parseAddressRange } from './addresses.ts'
import type { Asking } from './context.ts'
import { parseDate } from './dates.ts'
import { compileArnPattern, compileGlob, splitArn, stepsPerArn } from './match.ts'
import { isFixed, type Part, parseTemplate, resolveVariables } from './template.ts'

/**
 * The condition operators: which values each takes in a policy, and how one value of a request compares with them. What a
 * missing key, several values of a request, and the prefixes and suffixes of an operator mean is told in `conditions.ts`.
 * The source throughout is the IAM user guide, "IAM JSON policy elements: Condition operators".
 */
export interface Operator {
  /** The operator is the denial of the comparison: `StringNotEquals` is that of `StringEquals`. */
  readonly negated: boolean
  readonly comparison: Comparison
}

export interface Comparison {
  readonly takesVariables: boolean
  /** Whether a policy may hold this value. */
  accepts(value: string, syntax: { readonly variables: boolean }): boolean
  compile(values: readonly string[], syntax: { readonly variables: boolean }): ValueMatcher
}

/**
 * Whether a value of the request compares with any of the policy's values. The caller spends a step for each of these; the
 * matcher spends what it needs beyond that, such as to parse the request's value once.
 */
export type ValueMatcher = (value: string, asking: Asking) => boolean

/** Values in which variables may stand. */
function textual(
  wildcards: boolean,
  compile: (values: readonly string[], syntax: { readonly variables: boolean }) => ValueMatcher,
): Comparison {
  return {
    takesVariables: true,
    accepts: (value, { variables }) => parseTemplate(value, { wildcards, variables }) !== undefined,
    compile,
  }
}

/** Each value of the policy parsed once; what a request holds and does not parse compares with nothing. */
function parsed<T>(parse: (text: string) => T | undefined, compare: (requested: T, given: T) => boolean): Comparison {
  return {
    takesVariables: false,
    accepts: (value) => parse(value) !== undefined,
    compile(values) {
      const given = values.map(parse).filter((value) => value !== undefined)
      return (value, { steps }) => {
        steps.spend(value.length)
        const requested = parse(value)
        return requested !== undefined && given.some((one) => compare(requested, one))
      }
    },
  }
}

function exactly(fold: (text: string) => string): Comparison {
  return textual(false, (values, { variables }) => {
    const expected = new Set<string>()
    const templates: (readonly Part[])[] = []
    for (const value of values) {
      const parts = parseTemplate(value, { wildcards: false, variables }) ?? []
      if (isFixed(parts)) expected.add(fold(parts.join('')))
      else templates.push(parts)
    }
    const [only] = expected
    if (expected.size === 1 && templates.length === 0) {
      // Most conditions have one value: `bench` figure "policy evaluation".
      return (value, { steps }) => {
        steps.spend(value.length)
        return fold(value) === only
      }
    }
    return (value, asking) => {
      asking.steps.spend(value.length)
      const folded = fold(value)
      return expected.has(folded) || templates.some((parts) => resolveText(parts, asking, fold) === folded)
    }
  })
}

function resolveText(parts: readonly Part[], asking: Asking, fold: (text: string) => string): string | undefined {
  const resolved = resolveVariables(parts, asking)
  return resolved && fold(resolved.join(''))
}

/** To compare a text with one pattern, beside what the wildcards take. */
const stepsPerText = 6

const like = textual(true, (values, { variables }) => {
  const matchers = values.map((value) => compileGlob(parseTemplate(value, { wildcards: true, variables }) ?? []))
  return (value, asking) => {
    asking.steps.spend(matchers.length * stepsPerText)
    return matchers.some((matches) => matches(value, asking))
  }
})

/** `ArnEquals` and `ArnLike` are one and the same. */
const arn = textual(true, (values, syntax) => {
  const matchers = values.map((value) => compileArnPattern(value, syntax))
  return (value, asking) => {
    asking.steps.spend(value.length + matchers.length * stepsPerArn)
    const parts = splitArn(value)
    return parts !== undefined && matchers.some((matches) => matches(parts, asking))
  }
})

const address: Comparison = {
  takesVariables: false,
  accepts: (value) => parseAddressRange(value) !== undefined,
  compile: (values) => compileAddressRanges(values.map(parseAddressRange).filter((range) => range !== undefined)),
}

function parseNumber(text: string): number | undefined {
  return /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

function parseBoolean(text: string): string | undefined {
  const folded = text.toLowerCase()
  return folded === 'true' || folded === 'false' ? folded : undefined
}

/** The octets that Base64 stands for, in one way of writing them. */
function parseBinary(text: string): string | undefined {
  return /^(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i.test(text)
    ? Buffer.from(text, 'base64').toString('hex')
    : undefined
}

const equal = <T>(one: T, other: T) => one === other
const numbers = (compare: (requested: number, given: number) => boolean) => parsed(parseNumber, compare)
const dates = (compare: (requested: number, given: number) => boolean) => parsed(parseDate, compare)
const same = exactly((text) => text)
const sameIgnoringCase = exactly((text) => text.toLowerCase())
const boolean = parsed(parseBoolean, equal)

const is = (comparison: Comparison): Operator => ({ negated: false, comparison })
const isNot = (comparison: Comparison): Operator => ({ negated: true, comparison })

/** By name. `Null` asks for no value; its comparison is with whether the key is absent, `true` or `false`. */
export const operators = {
  StringEquals: is(same),
  StringNotEquals: isNot(same),
  StringEqualsIgnoreCase: is(sameIgnoringCase),
  StringNotEqualsIgnoreCase: isNot(sameIgnoringCase),
  StringLike: is(like),
  StringNotLike: isNot(like),
  NumericEquals: is(numbers(equal)),
  NumericNotEquals: isNot(numbers(equal)),
  NumericLessThan: is(numbers((requested, given) => requested < given)),
  NumericLessThanEquals: is(numbers((requested, given) => requested <= given)),
  NumericGreaterThan: is(numbers((requested, given) => requested > given)),
  NumericGreaterThanEquals: is(numbers((requested, given) => requested >= given)),
  DateEquals: is(dates(equal)),
  DateNotEquals: isNot(dates(equal)),
  DateLessThan: is(dates((requested, given) => requested < given)),
  DateLessThanEquals: is(dates((requested, given) => requested <= given)),
  DateGreaterThan: is(dates((requested, given) => requested > given)),
  DateGreaterThanEquals: is(dates((requested, given) => requested >= given)),
  Bool: is(boolean),
  BinaryEquals: is(parsed(parseBinary, equal)),
  IpAddress: is(address),
  NotIpAddress: isNot(address),
  ArnEquals: is(arn),
  ArnNotEquals: isNot(arn),
  ArnLike: is(arn),
  ArnNotLike: isNot(arn),
  Null: is(boolean),
} as const satisfies Record<string, Operator>

export type OperatorName = keyof typeof operators
