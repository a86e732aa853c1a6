import type { Position } from './model.ts'

/**
 * Where the statements of a policy's text begin and end, as SimulatePrincipalPolicy counts: lines and columns from 1. A
 * statement of a list begins right after the list's bracket or the statement before it. A statement without a list begins
 * right after its own brace. Each ends right after its closing brace. Recordings of AWS show the three of them.
 */
export interface StatementPositions {
  readonly StartPosition: Position
  readonly EndPosition: Position
}

/** Of the text's statements in their order. The text is the JSON of a policy that was parsed before it was stored. */
export function statementPositions(text: string): readonly StatementPositions[] {
  const locate = positionsIn(text)
  return statementSpans(text).map(({ start, end }) => ({ StartPosition: locate(start), EndPosition: locate(end) }))
}

interface Span {
  readonly start: number
  readonly end: number
}

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g

function statementSpans(text: string): readonly Span[] {
  const spans: Span[] = []
  let depth = 0
  let string = ''
  // The depth of the statements' braces, once the element is found.
  let inside: number | undefined
  let start = 0
  for (const { 0: found, index } of text.matchAll(token)) {
    const after = index + found.length
    if (found === ':') {
      if (depth === 1 && JSON.parse(string) === 'Statement') inside = 2
    } else if (found === '{' || found === '[') {
      depth++
      if (depth === 2 && inside === 2) {
        start = after
        if (found === '[') inside = 3
      }
    } else if (found === '}' || found === ']') {
      if (found === '}' && depth === inside) {
        spans.push({ start, end: after })
        start = after
      }
      depth--
      if (depth === 1) inside = undefined
    } else string = found
  }
  return spans
}

/** The lines and columns of offsets that are asked for in ascending order. */
function positionsIn(text: string): (offset: number) => Position {
  let line = 1
  let lineStart = 0
  return (offset) => {
    for (;;) {
      const end = text.indexOf('\n', lineStart)
      if (end === -1 || end >= offset) return { Line: line, Column: offset - lineStart + 1 }
      line++
      lineStart = end + 1
    }
  }
}
