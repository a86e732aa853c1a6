/** What `JSON.parse` leaves open: which of its values are objects, whether an object has a name twice, and how much a document may hold. */

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The value of a JSON text. V8 14.6 reads the name `\u0041ction` as its first six characters once it has read an object that has those
 * characters as a name in the same place. A policy would then lack its `Action`. Names are written plainly before they are read.
 *
 * @throws SyntaxError if the text is no JSON
 */
export function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (!text.includes('\\')) return value
  const plain = withPlainNames(text)
  return plain === text ? value : JSON.parse(plain)
}

/** Valid JSON, the names of which have no more escapes than they need. */
function withPlainNames(text: string): string {
  let plain = ''
  let copied = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    const end = endOfString(text, at) + 1
    if (standsBeforeColon(text, end)) {
      const written = text.slice(at + 1, end - 1)
      const name = nameOf(written)
      if (name !== written) {
        plain += text.slice(copied, at) + JSON.stringify(name)
        copied = end
      }
    }
    at = end
  }
  return plain + text.slice(copied)
}

/** Whether white space alone stands between this place and a colon. */
function standsBeforeColon(text: string, from: number): boolean {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return text.charCodeAt(at) === colon
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The most that a document may hold. */
export interface JsonLimits {
  /** Members of objects and entries of lists, in the whole document. An empty object or list counts as one more. */
  readonly entries: number
  /** Members of one object. */
  readonly members: number
  /** Objects and lists within one another. */
  readonly depth: number
}

export type JsonFlaw =
  | { readonly flaw: 'repeated' | 'escaped'; readonly name: string }
  | { readonly flaw: keyof JsonLimits; readonly limit: number }

const unlimited: JsonLimits = { entries: Infinity, members: Infinity, depth: Infinity }

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openObject, closeObject, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * The first flaw of a document: more than a limit, a name that its object has twice, or a name of `plain` with an escape. It reads the
 * text once and builds no value, so a caller can run it before `JSON.parse`. Text that is no JSON may have any flaw or none;
 * `JSON.parse` refuses it.
 */
export function findJsonFlaw(
  text: string,
  limits: JsonLimits,
  plain: ReadonlySet<string> = new Set(),
): JsonFlaw | undefined {
  /** The names of each object that is open; `undefined` for a list, and for an object before its first name. */
  const open: (Names | undefined)[] = []
  let entries = 0
  /** Where the last string begins, if no other token but it stands before this place; else -1. */
  let from = -1
  let to = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        from = at
        at = endOfString(text, at)
        if (at < 0) return undefined
        to = at + 1
        break
      }
      case comma:
        from = -1
        if (++entries > limits.entries) return { flaw: 'entries', limit: limits.entries }
        break
      case openObject:
      case openList:
        from = -1
        if (++entries > limits.entries) return { flaw: 'entries', limit: limits.entries }
        if (open.push(undefined) > limits.depth) return { flaw: 'depth', limit: limits.depth }
        break
      case closeObject:
      case closeList:
        from = -1
        open.pop()
        break
      case colon: {
        // This is no JSON. A string that names more than one value could be long, and would be read each time.
        if (open.length === 0 || from < 0) return undefined
        const written = text.slice(from + 1, to - 1)
        from = -1
        const name = nameOf(written)
        if (name !== written && plain.has(name)) return { flaw: 'escaped', name }
        const names = open[open.length - 1] ?? new Names()
        open[open.length - 1] = names
        if (!names.add(name)) return { flaw: 'repeated', name }
        if (names.size > limits.members) return { flaw: 'members', limit: limits.members }
      }
    }
  }
  return undefined
}

/** The names of one object. Most objects have so few that a list is faster than a set. */
class Names {
  readonly #few: string[] = []
  #many: Set<string> | undefined

  get size(): number {
    return this.#many?.size ?? this.#few.length
  }

  /** False if the name is there already. */
  add(name: string): boolean {
    if (this.#many !== undefined) {
      const { size } = this.#many
      return this.#many.add(name).size > size
    }
    if (this.#few.includes(name)) return false
    if (this.#few.push(name) > 8) this.#many = new Set(this.#few)
    return true
  }
}

/** Where the string that begins at `from` has its closing quote; -1 if it has none. */
function endOfString(text: string, from: number): number {
  const end = text.indexOf('"', from + 1)
  if (end < 0 || !isEscaped(text, end)) return end
  // A string with one quote may have a million.
  for (let at = end + 1; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === quote) return at
    if (character === backslash) at++
  }
  return -1
}

/** Whether an odd number of backslashes stands before the quote. */
function isEscaped(text: string, quoteAt: number): boolean {
  let at = quoteAt
  while (text.charCodeAt(at - 1) === backslash) at--
  return (quoteAt - at) % 2 === 1
}

/** The name that is written so. */
function nameOf(written: string): string {
  if (!written.includes('\\')) return written
  try {
    return JSON.parse(`"${written}"`)
  } catch {
    return written
  }
}

/**
 * The first name that its object has already. `JSON.parse` keeps the last of two and reports nothing. A reader that keeps the first
 * would see another document. `text` is valid JSON, so a string before a colon is a name.
 */
export function findRepeatedName(text: string): string | undefined {
  const found = findJsonFlaw(text, unlimited)
  return found?.flaw === 'repeated' ? found.name : undefined
}

const spaced = /("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g

/** Valid JSON without the white space that means nothing; all else stays as it was written. */
export function withoutSpace(text: string): string {
  return text.replace(spaced, '$1')
}
