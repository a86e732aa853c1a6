import { malformed } from './refusals.ts'

/**
 * JSON in which no object holds a name twice. `JSON.parse` keeps the last of two and says nothing, so that a policy would
 * mean something else to who reads it than to who enforces it; IAM refuses it (IAM user guide, "Grammar of the IAM JSON
 * policy language", notes).
 */

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g

/** @throws Refusal `PolicyMalformed` with `syntax`, `element repeated` */
export function parseJson(text: string): unknown {
  const value = parse(text)
  const repeated = findRepeatedName(text)
  if (repeated !== undefined) throw malformed('element repeated', '', repeated)
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('syntax', '')
  }
}

/** The first name that its object holds already. `text` is valid JSON, so that a string before a colon is a name. */
function findRepeatedName(text: string): string | undefined {
  const open: Set<string>[] = []
  let string = ''
  for (const [found] of text.matchAll(token)) {
    if (found === '{' || found === '[') open.push(new Set())
    else if (found === '}' || found === ']') open.pop()
    else if (found === ':') {
      const name: string = JSON.parse(string)
      const names = open.at(-1)
      if (names?.has(name)) return name
      names?.add(name)
    } else string = found
  }
  return undefined
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The texts of an element that takes one or a list of them, each with its place. @throws Refusal `PolicyMalformed` */
export function textsOf(value: unknown, at: string): readonly { readonly text: string; readonly at: string }[] {
  if (typeof value === 'string') return [{ text: value, at }]
  if (!Array.isArray(value)) throw malformed('syntax', at)
  return value.map((text: unknown, index) => {
    if (typeof text !== 'string') throw malformed('syntax', `${at}[${index}]`)
    return { text, at: `${at}[${index}]` }
  })
}
