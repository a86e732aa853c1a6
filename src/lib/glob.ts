import { type Steps, unlimitedSteps } from './steps.ts'

/**
 * The one matcher of wildcard patterns: IAM policies, tag patterns, scanning and tag filters use it. A pattern is parsed once and
 * matched without backtracking, since the leftmost fit of each piece between two `*` is always a best one.
 *
 * Bound, for a pattern of m and a text of n characters: m + 16·n comparisons of characters. A piece of more than 16 characters
 * beside `?`, or of more than 250 in all, is searched in 32 places at a time. That takes up to m + 8·n + m·n/32 operations on words.
 * The matcher spends a step for each comparison and operation, but none for the m.
 */
export interface Glob {
  readonly first: Piece
  /** The pieces between two `*`. */
  readonly middle: readonly Piece[]
  /** The piece after the last `*`; absent in a pattern without one. */
  readonly last: Piece | undefined
  /** The length of the shortest text that matches. */
  readonly shortest: number
}

interface Piece {
  readonly text: string
  /** Whether there is a `?` in it. */
  readonly hasWild: boolean
  /** The offsets in `text` that stand for themselves, in rising order; empty for a piece that `indexOf` finds. */
  readonly literals: readonly number[]
}

/** A text that stands for itself, or a wildcard. */
export type GlobToken = string | typeof anyRun | typeof anyOne

/** `*`: any run of characters, the empty one included. */
export const anyRun = Symbol('*')
/** `?`: any one UTF-16 code unit. */
export const anyOne = Symbol('?')

/** Up to here V8's search for a text is linear: it looks at no more than 250 characters to know how far it may skip. */
const longestIndexed = 250
/** With more characters to compare in each place, 32 places at a time are faster. */
const mostCompared = 16

export function globOf(tokens: readonly GlobToken[]): Glob {
  const pieces = [new PieceBuilder()]
  for (const token of tokens) {
    if (token === anyRun) pieces.push(new PieceBuilder())
    else pieces.at(-1)?.add(token)
  }
  const [first = nothing, ...rest] = pieces.map((piece) => piece.build())
  const last = rest.pop()
  const shortest = [first, ...rest, last ?? nothing].reduce((sum, { text }) => sum + text.length, 0)
  return { first, middle: rest.filter(({ text }) => text !== ''), last, shortest }
}

/** A pattern in which `*` alone is a wildcard. */
export function parseStars(pattern: string): Glob {
  return globOf(pattern.split('*').flatMap((text, index) => (index === 0 ? [text] : [anyRun, text])))
}

class PieceBuilder {
  #text = ''
  readonly #wild = new Set<number>()

  add(token: string | typeof anyOne): void {
    if (token === anyOne) this.#wild.add(this.#text.length)
    this.#text += token === anyOne ? '?' : token
  }

  build(): Piece {
    const text = this.#text
    const hasWild = this.#wild.size > 0
    const literals: number[] = []
    if (hasWild || text.length > longestIndexed) {
      for (let index = 0; index < text.length; index++) if (!this.#wild.has(index)) literals.push(index)
    }
    return { text, hasWild, literals }
  }
}

const nothing: Piece = { text: '', hasWild: false, literals: [] }

/** Whether the text as a whole matches. @throws `stepsExceeded` */
export function matchesGlob(glob: Glob, text: string, steps: Steps = unlimitedSteps): boolean {
  const { first, middle, last, shortest } = glob
  if (text.length < shortest) return false
  if (last === undefined) return text.length === shortest && fits(first, text, 0)
  const end = text.length - last.text.length
  if (!fits(first, text, 0) || !fits(last, text, end)) return false
  return middle.length === 0 || findInOrder(middle, new Subject(text, steps), first.text.length, end)
}

function findInOrder(pieces: readonly Piece[], subject: Subject, start: number, end: number): boolean {
  let from = start
  for (const piece of pieces) {
    const { length } = piece.text
    const at = find(piece, subject, from, end - length)
    if (at < 0) return false
    from = at + length
  }
  return true
}

function fits({ text: wanted, hasWild, literals }: Piece, text: string, at: number): boolean {
  return hasWild ? fittingLiterals(wanted, literals, text, at) === literals.length : text.startsWith(wanted, at)
}

/** The first place from `from` to `until` where the piece fits, or -1. */
function find(piece: Piece, subject: Subject, from: number, until: number): number {
  const { text: wanted, hasWild, literals } = piece
  if (from > until) return -1
  if (!hasWild && wanted.length <= longestIndexed) return findText(wanted, subject, from, until)
  if (literals.length === 0) return from
  return literals.length <= mostCompared
    ? findByComparing(piece, subject, from, until)
    : findByWords(piece, subject, from, until)
}

function findText(wanted: string, { text, steps }: Subject, from: number, until: number): number {
  const at = text.indexOf(wanted, from)
  steps.spend(1 + (at < 0 ? text.length : at) - from)
  return at > until ? -1 : at
}

/** Spends in batches, since to spend costs as much as to compare. */
function findByComparing({ text: wanted, literals }: Piece, { text, steps }: Subject, from: number, until: number) {
  const first = literals[0] ?? 0
  const firstCode = wanted.charCodeAt(first)
  let spent = 0
  for (let at = from; at <= until; at++) {
    if (++spent > 1_000) {
      steps.spend(spent)
      spent = 0
    }
    if (text.charCodeAt(at + first) !== firstCode) continue
    const fitting = fittingLiterals(wanted, literals, text, at)
    spent += fitting
    if (fitting < literals.length) continue
    steps.spend(spent)
    return at
  }
  steps.spend(spent)
  return -1
}

/** How many characters are the wanted ones, up to the first that is not. */
function fittingLiterals(wanted: string, literals: readonly number[], text: string, at: number): number {
  let count = 0
  for (const offset of literals) {
    if (wanted.charCodeAt(offset) !== text.charCodeAt(at + offset)) break
    count++
  }
  return count
}

/** A bit for each of 32 places: those where all characters so far are the wanted ones. */
function findByWords({ text: wanted, literals }: Piece, subject: Subject, from: number, until: number): number {
  const { steps, occurrences } = subject
  steps.spend(literals.length)
  const rows: Uint32Array[] = []
  for (const offset of literals) {
    const row = occurrences.get(wanted.charCodeAt(offset))
    if (row === undefined) return -1
    rows.push(row)
  }
  for (let base = from; base <= until; base += 32) {
    const places = until - base + 1
    let fitting = places < 32 ? 2 ** places - 1 : -1
    let index = 0
    for (; index < rows.length && fitting !== 0; index++) {
      fitting &= bitsAt(rows[index] ?? noBits, base + (literals[index] ?? 0))
    }
    steps.spend(index)
    if (fitting !== 0) return base + 31 - Math.clz32(fitting & -fitting)
  }
  return -1
}

const noBits = new Uint32Array(0)

/** 32 bits of a row, from that one on. */
function bitsAt(row: Uint32Array, from: number): number {
  const word = from >>> 5
  const shift = from & 31
  const low = (row[word] ?? 0) >>> shift
  return shift === 0 ? low : low | ((row[word + 1] ?? 0) << (32 - shift))
}

/** A text that is searched, and where in it each of its characters stands. */
class Subject {
  readonly text: string
  readonly steps: Steps
  #occurrences: ReadonlyMap<number, Uint32Array> | undefined

  constructor(text: string, steps: Steps) {
    this.text = text
    this.steps = steps
  }

  get occurrences(): ReadonlyMap<number, Uint32Array> {
    this.#occurrences ??= occurrencesIn(this.text, this.steps)
    return this.#occurrences
  }
}

/** A lookup and a bit for each character, and a row of n/32 words for each different one. */
const stepsPerOccurrence = 8

function occurrencesIn(text: string, steps: Steps): ReadonlyMap<number, Uint32Array> {
  const words = (text.length >>> 5) + 1
  const rows = new Map<number, Uint32Array>()
  steps.spend(text.length * stepsPerOccurrence)
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    let row = rows.get(code)
    if (row === undefined) {
      steps.spend(words)
      row = new Uint32Array(words)
      rows.set(code, row)
    }
    row[index >>> 5] = (row[index >>> 5] ?? 0) | (1 << (index & 31))
  }
  return rows
}
