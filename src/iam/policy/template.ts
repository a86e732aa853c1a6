import { anyOne, anyRun, type GlobToken } from '#lib/glob.ts'
import type { Asking } from './context.ts'

/**
 * A text of a policy in its parts: what stands for itself, wildcards, and variables such as `${aws:username}`, which take
 * their value from the request (IAM user guide, "IAM policy elements: Variables and tags"). A value that is put in stands for
 * itself: nobody gains a wildcard by the name of a user or the value of a tag.
 */
export type Part = GlobToken | Variable

interface Variable {
  readonly key: string
  /** What stands in where the request has no value: `${aws:PrincipalTag/team, 'none'}`. */
  readonly fallback: string | undefined
}

export interface TemplateSyntax {
  /** Whether `*` and `?` are wildcards here. */
  readonly wildcards: boolean
  /** Whether `${…}` is a variable: in documents of version 2012-10-17. Otherwise it stands for itself. */
  readonly variables: boolean
}

const variablePattern = /^([^,'{}$*?]+)(?:,\s*'([^']*)')?$/

/** `undefined` where a `${` begins no variable. */
export function parseTemplate(text: string, { wildcards, variables }: TemplateSyntax): readonly Part[] | undefined {
  if (!(variables ? /[*?]|\$\{/ : /[*?]/).test(text)) return text === '' ? [] : [text]
  const parts: Part[] = []
  let from = 0
  for (const { 0: token, 1: inside, index } of text.matchAll(variables ? /\$\{([^}]*)\}|\$\{|[*?]/g : /[*?]/g)) {
    const part = partOf(token, inside)
    if (part === undefined) return undefined
    if (!wildcards && typeof part === 'symbol') continue
    if (index > from) parts.push(text.slice(from, index))
    parts.push(part)
    from = index + token.length
  }
  if (from < text.length) parts.push(text.slice(from))
  return parts
}

function partOf(token: string, inside: string | undefined): Part | undefined {
  if (token === '*') return anyRun
  if (token === '?') return anyOne
  if (inside === undefined) return undefined
  // The three characters that have a meaning of their own are written `${*}`, `${?}`, `${$}` to stand for themselves.
  if (inside === '*' || inside === '?' || inside === '$') return inside
  const [, key, fallback] = variablePattern.exec(inside.trim()) ?? []
  return key === undefined ? undefined : { key: key.trimEnd().toLowerCase(), fallback }
}

function isVariable(part: Part): part is Variable {
  return typeof part === 'object'
}

export function isFixed(parts: readonly Part[]): parts is readonly GlobToken[] {
  return !parts.some(isVariable)
}

/** To resolve a part and to build a pattern of it takes a hundred nanoseconds or less. */
export const stepsPerPart = 20

/**
 * `undefined` where a variable has no value: its key is absent, or has several values of which none is the one meant. Such a
 * text compares with nothing, so that a denial such as `StringNotEquals` holds (the same page, variables with no value).
 */
export function resolveVariables(parts: readonly Part[], asking: Asking): readonly GlobToken[] | undefined {
  asking.steps.spend(parts.length * stepsPerPart)
  const resolved: GlobToken[] = []
  for (const part of parts) {
    const value = isVariable(part) ? resolve(part, asking) : part
    if (value === undefined) return undefined
    resolved.push(value)
  }
  return resolved
}

/** Spends the value's length: a short pattern may name one long value many times. */
function resolve({ key, fallback }: Variable, { context, steps }: Asking): string | undefined {
  const values = context.get(key) ?? []
  const value = values.length === 1 ? values[0] : fallback
  steps.spend(1 + (value?.length ?? 0))
  return value
}
