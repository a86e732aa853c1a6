import { isObject } from '#lib/json.ts'
import { refusals } from '#lib/refusal.ts'

/** Why EventBridge refuses a pattern. */
export type PatternProblem =
  | { readonly problem: 'syntax' }
  | { readonly problem: 'too long' | 'too deep' | 'too many combinations'; readonly most: number }
  | { readonly problem: 'name repeated'; readonly name: string }
  /** Two fields of one combination have the same path: one in `$or` and one outside, or `a.b` and `b` in `a`. */
  | { readonly problem: 'field repeated'; readonly name: string }
  | { readonly problem: 'type'; readonly found: JsonKind; readonly wanted: Wanted }
  | { readonly problem: 'object empty' | 'list empty' | 'text empty' }
  | { readonly problem: 'operators'; readonly found: number }
  | { readonly problem: 'operator unknown'; readonly name: string; readonly allowed: readonly string[] }
  | { readonly problem: 'list mixed' }
  | { readonly problem: 'alternatives'; readonly found: number }
  /** The name of an operator as a field of an alternative of `$or`. */
  | { readonly problem: 'name reserved'; readonly name: string }
  | { readonly problem: 'comparisons' | 'range order' | 'range empty' }
  | { readonly problem: 'comparison unknown'; readonly name: string; readonly allowed: readonly string[] }
  | { readonly problem: 'number out of range'; readonly found: number; readonly most: number }
  | { readonly problem: 'network' }
  | { readonly problem: 'network bits'; readonly most: number }
  /** The place of the character in the text, from 1. */
  | { readonly problem: 'wildcards in a row' | 'escape'; readonly place: number }

export type JsonKind = 'object' | 'list' | 'text' | 'number' | 'boolean' | 'null'

export type Wanted =
  | 'object'
  | 'list'
  | 'text'
  | 'number'
  | 'boolean'
  | 'object or list'
  | 'primitive or operator'
  | 'text, number or list'
  | 'text or list'
  | 'text or ignoring case'
  | 'text or number'

export interface PatternRefusals {
  /** The path is the pattern's own, as `detail.$or[0].state[1]`, and empty for the pattern as a whole. */
  EventPatternInvalid: PatternProblem & { readonly path: string }
}

const refuse = refusals<PatternRefusals>()

export function invalidPattern(path: string, problem: PatternProblem) {
  return refuse('EventPatternInvalid', { ...problem, path })
}

export function wrongType(path: string, value: unknown, wanted: Wanted) {
  return invalidPattern(path, { problem: 'type', found: kindOf(value), wanted })
}

function kindOf(value: unknown): JsonKind {
  if (isObject(value)) return 'object'
  if (Array.isArray(value)) return 'list'
  if (value === null) return 'null'
  if (typeof value === 'string') return 'text'
  return typeof value === 'number' ? 'number' : 'boolean'
}
