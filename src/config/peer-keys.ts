// The keys of one mapping in the file of peers: text that is parsed, secrets from a file or the environment, and errors that name
// the key and what is expected of it. A secret is never shown.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SettingError } from './setting-error.ts'
import { showNothing, showText } from './shown.ts'

export interface PeerPlace {
  /** Where relative paths start. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly fail: (problem: string) => SettingError
}

export interface PeerKeyGrammar<Value> {
  readonly parse: (text: string) => Value | undefined
  /** Completes "expected …". */
  readonly expected: string
  /** `showText` by default. */
  readonly show?: (text: string) => string | undefined
}

export interface PeerKeys {
  /** @throws SettingError for a key that is not one of these */
  restrict(known: readonly string[]): void
  optional<Value>(key: string, grammar: PeerKeyGrammar<Value>): Value | undefined
  required<Value>(key: string, grammar: PeerKeyGrammar<Value>): Value
  /** A list or a mapping, as it is. */
  raw(key: string): unknown
  /** The value of `<key>`, or the content of the file that `<key>File` names without the line break at its end. */
  secret(key: string, grammar: PeerKeyGrammar<string>): string | undefined
  fail(problem: string): SettingError
}

/** `about` begins each error: which peer. `undefined` if `raw` is no mapping. */
export function keysOf(raw: unknown, about: string, { folder, environment, fail }: PeerPlace): PeerKeys | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  const values = new Map<string, unknown>(Object.entries(raw))
  const failHere = (problem: string) => fail(`${about}: ${problem}`)

  function textOf(key: string): string | undefined {
    const value = values.get(key) ?? ''
    if (typeof value !== 'string') throw failHere(`${key} is a list or a mapping: expected one value`)
    const variable = /^\$\{(\w+)\}$/.exec(value)?.[1]
    const text = variable === undefined ? value : (environment[variable] ?? '')
    if (variable !== undefined && text === '') {
      throw failHere(`${key} names the environment variable ${variable}: expected it to have a value`)
    }
    return text === '' ? undefined : text
  }

  function parse<Value>(key: string, text: string, { parse: read, expected, show = showText }: PeerKeyGrammar<Value>) {
    const value = read(text)
    if (value !== undefined) return value
    const shown = show(text)
    const found = shown === undefined ? `${key} has a value that is not shown` : `${key} is ${shown}`
    throw failHere(`${found}: expected ${expected}`)
  }

  function optional<Value>(key: string, grammar: PeerKeyGrammar<Value>): Value | undefined {
    const text = textOf(key)
    return text === undefined ? undefined : parse(key, text, grammar)
  }

  return {
    optional,
    fail: failHere,
    raw: (key) => values.get(key),
    required(key, grammar) {
      const value = optional(key, grammar)
      if (value === undefined) throw failHere(`${key} is missing: expected ${grammar.expected}`)
      return value
    },
    restrict(known) {
      for (const key of values.keys()) {
        if (known.includes(key)) continue
        // In YAML `key:secret` without a space is a key as a whole.
        const shown = showText(key.replace(/[^\w-].*$/s, '…'))
        throw failHere(`${shown} is no key: expected one of ${known.join(', ')}`)
      }
    },
    secret(key, grammar) {
      const file = optional(`${key}File`, fileIn(folder))
      const hidden = { ...grammar, show: showNothing }
      if (file === undefined) return optional(key, hidden)
      if (values.has(key)) throw failHere(`${key} and ${key}File are both set: expected one of them`)
      return parse(`the content of ${key}File`, file.replace(/\r?\n$/, ''), hidden)
    },
  }
}

/** The content of a file. */
export function fileIn(folder: string): PeerKeyGrammar<string> {
  return {
    expected: 'a readable file',
    parse(path) {
      try {
        return readFileSync(resolve(folder, path), 'utf8')
      } catch {
        // Missing, a folder, or not ours to read: all three are a bad value of the key.
        return undefined
      }
    },
  }
}
