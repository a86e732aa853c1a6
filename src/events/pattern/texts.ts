import { isIP, isIPv6 } from 'node:net'
import { addressRanges } from '#lib/address-ranges.ts'
import { anyRun, type GlobToken, globOf, matchesGlob } from '#lib/glob.ts'
import type { Primitive, ValueTest } from './pattern.ts'
import { invalidPattern } from './refusals.ts'

/** The operators on texts. Each holds for texts alone. Each takes time linear in the value, but for `wildcard` (`lib/glob.ts`). */

type TextTest = (text: string) => boolean

export function onTexts(test: TextTest): ValueTest {
  return (value: Primitive) => typeof value === 'string' && test(value)
}

export function hasPrefix(prefix: string): TextTest {
  return (text) => text.startsWith(prefix)
}

export function hasSuffix(suffix: string): TextTest {
  return (text) => text.endsWith(suffix)
}

export function hasPrefixIgnoringCase(prefix: string): TextTest {
  const wanted = withoutCase(prefix)
  return (text) => withoutCase(text).startsWith(wanted)
}

export function hasSuffixIgnoringCase(suffix: string): TextTest {
  const wanted = withoutCase(suffix)
  return (text) => withoutCase(text).endsWith(wanted)
}

export function equalsIgnoringCase(other: string): TextTest {
  const wanted = withoutCase(other)
  return (text) => withoutCase(text) === wanted
}

/** Upper case depends on one character alone. Lower case does not: a Σ at the end of a word becomes another letter. */
function withoutCase(text: string): string {
  return text.toUpperCase()
}

/** @throws Refusal `EventPatternInvalid` */
export function fitsWildcards(pattern: string, path: string): TextTest {
  const glob = globOf(wildcardTokens(pattern, path))
  return (text) => matchesGlob(glob, text)
}

/** `*` is any run of characters, `\*` is `*`, and `\\` is `\`. EventBridge refuses two wildcards in a row, and any other escape. */
function wildcardTokens(pattern: string, path: string): GlobToken[] {
  const tokens: GlobToken[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at)
    const next = pattern.charAt(at + 1)
    if (character === '*') {
      if (next === '*') throw invalidPattern(path, { problem: 'wildcards in a row', place: at + 1 })
      tokens.push(anyRun)
    } else if (character === '\\') {
      if (next !== '*' && next !== '\\') throw invalidPattern(path, { problem: 'escape', place: at + 1 })
      tokens.push(next)
      at++
    } else {
      tokens.push(character)
    }
  }
  return tokens
}

/** An address in a network. @throws Refusal `EventPatternInvalid` */
export function isInNetwork(network: string, path: string): TextTest {
  const [, address = '', written = ''] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(network) ?? []
  if (isIP(address) === 0) throw invalidPattern(path, { problem: 'network' })
  // EventBridge refuses a network of one address. A pattern names that address itself.
  const most = isIPv6(address) ? 127 : 31
  if (Number(written) > most) throw invalidPattern(path, { problem: 'network bits', most })
  return addressRanges([network])
}

/** EventBridge compares an address as such, however it is written: `::1` is `0:0:0:0:0:0:0:1`. */
export function isAddress(address: string): TextTest | undefined {
  return isIP(address) === 0 || address.includes('%') ? undefined : addressRanges([address])
}
