import { findRepeatedName, readJson } from '#lib/json.ts'
import { malformed } from './refusals.ts'

/**
 * JSON in which no object holds a name twice. `JSON.parse` keeps the last of two and says nothing, so that a policy would
 * mean something else to who reads it than to who enforces it; IAM refuses it (IAM user guide, "Grammar of the IAM JSON
 * policy language", notes).
 */

/** @throws Refusal `PolicyMalformed` with `syntax`, `element repeated` */
export function parseJson(text: string): unknown {
  const value = parse(text)
  const repeated = findRepeatedName(text)
  if (repeated !== undefined) throw malformed('element repeated', '', repeated)
  return value
}

function parse(text: string): unknown {
  try {
    return readJson(text)
  } catch {
    throw malformed('syntax', '')
  }
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
