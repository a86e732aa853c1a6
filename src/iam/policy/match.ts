import { anyOne, anyRun, type Glob, type GlobToken, globOf, matchesGlob } from '#lib/glob.ts'
import type { Asking } from './context.ts'
import { isFixed, type Part, parseTemplate, resolveVariables } from './template.ts'

/** Patterns of policies, compiled once: wildcard patterns that may have variables, and patterns of ARNs. */

/** Partition, service and so on, as many as there are; the sixth holds the rest, with its colons. */
export type ArnParts = readonly string[]

const arnLength = 6

/** `undefined` if it is no ARN. */
export function splitArn(text: string): ArnParts | undefined {
  if (!text.startsWith('arn:')) return undefined
  const parts = splitAtColons(text, arnLength - 1)
  return parts.length === arnLength ? parts : undefined
}

/** To compare an ARN with one pattern, beside what the wildcards take. */
export const stepsPerArn = 10

/** Whether an ARN matches, whatever the request puts into the pattern's variables. */
export type ArnMatcher = (arn: ArnParts, asking: Asking) => boolean

/**
 * Each of the six components is matched by itself, so that a wildcard stops at a colon but in the last, which may hold some
 * (IAM user guide, "IAM JSON policy elements: Resource" and "Condition operators", ARN). Those that are left out at the end
 * are `*`. Where a variable has no value nothing matches.
 */
export function compileArnPattern(text: string, syntax: { variables: boolean }): ArnMatcher {
  return compileArnComponents(parseArnPattern(text, syntax))
}

/** The six components of a pattern. */
export type ArnComponents = readonly (readonly Part[])[]

export function parseArnPattern(text: string, { variables }: { variables: boolean }): ArnComponents {
  return arnComponents(parseTemplate(text, { wildcards: true, variables }) ?? [])
}

export function compileArnComponents(pattern: ArnComponents): ArnMatcher {
  const components = pattern
    .map((parts, index) => ({ index, fixed: isFixed(parts), matches: compileGlob(parts) }))
    .filter(({ matches }) => matches !== matchesAnything)
    // First what costs least, and of that the last component, the likeliest to differ.
    .sort((one, other) => Number(other.fixed) - Number(one.fixed) || other.index - one.index)
  return (arn, asking) => {
    for (const { index, matches } of components) if (!matches(arn[index] ?? '', asking)) return false
    return true
  }
}

/** A pattern without variables. */
export function parsePattern(pattern: string): Glob {
  const parts = parseTemplate(pattern, { wildcards: true, variables: false }) ?? []
  return globOf(isFixed(parts) ? parts : [])
}

type TextMatcher = (text: string, asking: Asking) => boolean

const matchesAnything: TextMatcher = () => true

/** A wildcard pattern that may have variables; without a value for each it matches nothing. */
export function compileGlob(parts: readonly Part[]): TextMatcher {
  if (!isFixed(parts)) {
    return (text, asking) => {
      const resolved = resolveVariables(parts, asking)
      // A pattern of many long values is not worth to be built.
      return resolved !== undefined && fitsInto(resolved, text) && matchesGlob(globOf(resolved), text, asking.steps)
    }
  }
  if (parts.length === 1 && parts[0] === anyRun) return matchesAnything
  if (parts.every((part) => typeof part === 'string')) {
    const literal = parts.join('')
    return (text) => text === literal
  }
  const glob = globOf(parts)
  return (text, { steps }) => matchesGlob(glob, text, steps)
}

function fitsInto(tokens: readonly GlobToken[], text: string): boolean {
  let shortest = 0
  for (const token of tokens) shortest += typeof token === 'string' ? token.length : Number(token === anyOne)
  return shortest <= text.length
}

/** The pattern's six components. A colon inside a variable's name parts nothing. */
export function arnComponents(parts: readonly Part[]): ArnComponents {
  const components: Part[][] = [[]]
  for (const part of parts) {
    const room = arnLength - components.length
    const split: readonly Part[] = typeof part === 'string' ? splitAtColons(part, room) : [part]
    const [first, ...more] = split
    if (first !== undefined && first !== '') components.at(-1)?.push(first)
    for (const text of more) components.push(text === '' ? [] : [text])
  }
  while (components.length < arnLength) components.push([anyRun])
  return components
}

/** Splits at the first `count` colons, and looks no further. */
function splitAtColons(text: string, count: number): readonly string[] {
  const parts: string[] = []
  let from = 0
  while (parts.length < count) {
    const colon = text.indexOf(':', from)
    if (colon < 0) break
    parts.push(text.slice(from, colon))
    from = colon + 1
  }
  return [...parts, text.slice(from)]
}
