import type { Context } from './context.ts'
import { anyOne, anyRun, type FixedPart, isFixed, type Part, parseTemplate, resolveVariables } from './template.ts'

/**
 * Wildcard patterns and patterns of ARNs, compiled once and matched without going back: each piece between two `*` is taken at
 * its leftmost fit, which is always a best one, so that no pattern takes longer than its length times the text's.
 */

/** The pieces between `*`; a pattern without one is a single piece. */
type Glob = readonly Piece[]

interface Piece {
  readonly text: string
  /** Where in `text` any character will do, in rising order. */
  readonly wild: readonly number[]
}

function globOf(parts: readonly FixedPart[]): Glob {
  const pieces: Piece[] = []
  let text = ''
  let wild: number[] = []
  for (const part of parts) {
    if (part === anyRun) {
      pieces.push({ text, wild })
      text = ''
      wild = []
    } else if (part === anyOne) {
      wild.push(text.length)
      text += '?'
    } else text += part
  }
  return [...pieces, { text, wild }]
}

/** A pattern in which `*` and `?` are wildcards and nothing is a variable. */
export function parseGlob(text: string): Glob {
  const parts = parseTemplate(text, { wildcards: true, variables: false }) ?? []
  return isFixed(parts) ? globOf(parts) : []
}

/** Whether the text as a whole matches. `?` is one UTF-16 code unit. */
export function matchesGlob(glob: Glob, text: string): boolean {
  const first = glob[0]
  const last = glob.at(-1)
  if (first === undefined || last === undefined) return text === ''
  if (glob.length === 1) return text.length === first.text.length && fits(first, text, 0)
  const end = text.length - last.text.length
  if (end < first.text.length || !fits(first, text, 0) || !fits(last, text, end)) return false
  let from = first.text.length
  for (let index = 1; index < glob.length - 1; index++) {
    const piece = glob[index]
    if (piece === undefined) continue
    const at = find(piece, text, from)
    if (at < 0 || at + piece.text.length > end) return false
    from = at + piece.text.length
  }
  return true
}

function fits({ text: piece, wild }: Piece, text: string, at: number): boolean {
  if (wild.length === 0) return text.startsWith(piece, at)
  let next = 0
  for (let index = 0; index < piece.length; index++) {
    if (index === wild[next]) next++
    else if (piece.charCodeAt(index) !== text.charCodeAt(at + index)) return false
  }
  return at + piece.length <= text.length
}

function find(piece: Piece, text: string, from: number): number {
  if (piece.wild.length === 0) return text.indexOf(piece.text, from)
  const end = text.length - piece.text.length
  for (let at = from; at <= end; at++) if (fits(piece, text, at)) return at
  return -1
}

/** Partition, service and so on, as many as there are; the sixth holds the rest, with its colons. */
export type ArnParts = readonly string[]

const arnLength = 6

/** `undefined` if it is no ARN. */
export function splitArn(text: string): ArnParts | undefined {
  if (!text.startsWith('arn:')) return undefined
  const parts = splitAtColons(text, arnLength - 1)
  return parts.length === arnLength ? parts : undefined
}

/** Whether an ARN matches, whatever the request puts into the pattern's variables. */
export type ArnMatcher = (arn: ArnParts, context: Context) => boolean

/**
 * Each of the six components is matched by itself, so that a wildcard stops at a colon but in the last, which may hold some
 * (IAM user guide, "IAM JSON policy elements: Resource" and "Condition operators", ARN). Those that are left out at the end
 * are `*`. Where a variable has no value nothing matches.
 */
export function compileArnPattern(text: string, { variables }: { variables: boolean }): ArnMatcher {
  const parts = parseTemplate(text, { wildcards: true, variables }) ?? []
  const components = arnComponents(parts)
    .map((parts, index) => ({ index, fixed: isFixed(parts), matches: compileGlob(parts) }))
    .filter(({ matches }) => matches !== matchesAnything)
    // First what costs least, and of that the last component, the likeliest to differ.
    .sort((one, other) => Number(other.fixed) - Number(one.fixed) || other.index - one.index)
  return (arn, context) => {
    for (const { index, matches } of components) if (!matches(arn[index] ?? '', context)) return false
    return true
  }
}

type TextMatcher = (text: string, context: Context) => boolean

const matchesAnything: TextMatcher = () => true

/** A wildcard pattern that may have variables; without a value for each it matches nothing. */
export function compileGlob(parts: readonly Part[]): TextMatcher {
  if (!isFixed(parts)) {
    return (text, context) => {
      const resolved = resolveVariables(parts, context)
      return resolved !== undefined && matchesGlob(globOf(resolved), text)
    }
  }
  if (parts.length === 1 && parts[0] === anyRun) return matchesAnything
  if (parts.every((part) => typeof part === 'string')) {
    const literal = parts.join('')
    return (text) => text === literal
  }
  const glob = globOf(parts)
  return (text) => matchesGlob(glob, text)
}

/** The pattern's six components. A colon inside a variable's name parts nothing. */
export function arnComponents(parts: readonly Part[]): readonly (readonly Part[])[] {
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

/** Splits at the first `count` colons. */
function splitAtColons(text: string, count: number): readonly string[] {
  const texts = text.split(':')
  return texts.length <= count + 1 ? texts : [...texts.slice(0, count), texts.slice(count).join(':')]
}
