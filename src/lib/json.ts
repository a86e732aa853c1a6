/** What `JSON.parse` leaves open: which of its values are objects, and whether an object held a name twice. */

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g

/**
 * The first name that its object holds already. `JSON.parse` keeps the last of two and says nothing, so that a document would
 * mean something else to who reads it than to who follows it. `text` is valid JSON, so that a string before a colon is a name.
 */
export function findRepeatedName(text: string): string | undefined {
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

const spaced = /("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g

/** Valid JSON without the white space that means nothing; all else stays as it was written. */
export function withoutSpace(text: string): string {
  return text.replace(spaced, '$1')
}
