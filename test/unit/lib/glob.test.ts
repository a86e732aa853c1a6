/** The wildcard matcher, against a plain recursive one and a regular expression, and what it may cost. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { anyOne, anyRun, globOf, matchesGlob, parseStars } from '#lib/glob.ts'
import { Steps, stepsExceeded } from '#lib/steps.ts'

/** `*` and `?` are wildcards. */
function parse(pattern: string) {
  return globOf([...pattern].map((char) => (char === '*' ? anyRun : char === '?' ? anyOne : char)))
}

/** Obvious, and slow for patterns of many stars. */
function matchesNaively(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] === '*') {
    return matchesNaively(pattern.slice(1), text) || (text !== '' && matchesNaively(pattern, text.slice(1)))
  }
  return (
    text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && matchesNaively(pattern.slice(1), text.slice(1))
  )
}

/** Obvious, and polynomial: whether the first i of the pattern match the first j of the text. */
function matchesByTable(pattern: string, text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, index) => index === 0)
  for (const char of pattern) {
    const next = [char === '*' && row[0] === true]
    for (let index = 1; index <= text.length; index++) {
      const one = row[index - 1] === true && (char === '?' || char === text[index - 1])
      next.push(char === '*' ? row[index] === true || next[index - 1] === true : one)
    }
    row = next
  }
  return row[text.length] === true
}

function matchesByRegExp(pattern: string, text: string): boolean {
  const pieces = pattern.split('*').map((piece) => RegExp.escape(piece))
  return new RegExp(`^${pieces.join('.*')}$`, 's').test(text)
}

describe('wildcard patterns', () => {
  test('they match what a plain recursive matcher matches', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 9 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '?'), maxLength: 12 })
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        assert.equal(matchesGlob(parse(pattern), text), matchesNaively(pattern, text))
      }),
      { numRuns: 5_000 },
    )
  })

  /** Made of the text, so that about half of the long patterns match, and the bits of several words count. */
  const long = fc
    .record({
      text: fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 40, maxLength: 400 }),
      cuts: fc.array(fc.tuple(fc.nat(400), fc.nat(400)), { minLength: 1, maxLength: 4 }),
      holes: fc.array(fc.nat(400), { maxLength: 40 }),
      slip: fc.option(fc.nat(400), { freq: 1 }),
    })
    .map(({ text, cuts, holes, slip }) => {
      const chars: string[] = [...text]
      for (const hole of holes) if (hole < chars.length) chars[hole] = '?'
      if (slip !== null && slip < chars.length) chars[slip] = 'c'
      for (const [from, to] of cuts)
        chars.fill('', Math.min(from, to), Math.max(from, to)).splice(Math.min(from, to), 0, '*')
      return { pattern: chars.join(''), text }
    })

  test('long pieces with ? among them match what a table of all prefixes says', () => {
    let matched = 0
    fc.assert(
      fc.property(long, ({ pattern, text }) => {
        const expected = matchesByTable(pattern, text)
        if (expected) matched++
        assert.equal(matchesGlob(parse(pattern), text), expected)
      }),
      { numRuns: 2_000 },
    )
    assert.ok(matched > 200, `${matched} matched`)
  })

  test('a piece is found at every place of a word, and across words', () => {
    const piece = `b${'?'.repeat(5)}${'ab'.repeat(20)}`
    for (let at = 0; at < 100; at++) {
      const text = `${'a'.repeat(at)}b${'x'.repeat(5)}${'ab'.repeat(20)}a`
      assert.ok(matchesGlob(parse(`*${piece}*`), text), String(at))
      assert.ok(!matchesGlob(parse(`*${piece}?*c`), `${text}c`.replace('xa', 'xc')), String(at))
    }
    const literal = 'ab'.repeat(200)
    assert.ok(matchesGlob(parse(`*${literal}*`), `${'b'.repeat(70)}${literal}`))
    assert.ok(!matchesGlob(parse(`*${literal}*`), `${'b'.repeat(70)}${literal.slice(1)}`))
  })

  test('a piece does not share characters with the last one', () => {
    for (const piece of [`b${'?'.repeat(5)}${'ab'.repeat(20)}`, 'ab'.repeat(200), '?b', 'ab']) {
      const instance = piece.replaceAll('?', 'x')
      assert.ok(!matchesGlob(parse(`*${piece}*ab`), `aaa${instance}`), piece)
      assert.ok(!matchesGlob(parse(`*${piece}*ab`), `aaa${instance}b`), piece)
      assert.ok(matchesGlob(parse(`*${piece}*ab`), `aaa${instance}ab`), piece)
    }
  })

  test('where * alone is a wildcard they match what a regular expression matches', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '?'), maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(pattern, fc.string()), fc.oneof(text, fc.string()), (pattern, text) => {
        assert.equal(matchesGlob(parseStars(pattern), text), matchesByRegExp(pattern, text))
        const literal = text.replaceAll('*', '')
        assert.ok(matchesGlob(parseStars(`*${literal}*`), literal))
      }),
      { numRuns: 2_000 },
    )
  })
})

/** How many steps it takes, by halving. */
function stepsOf(pattern: string, text: string): number {
  const glob = parse(pattern)
  let [low, high] = [0, 1 << 30]
  while (low < high) {
    const middle = (low + high) >>> 1
    try {
      matchesGlob(glob, text, new Steps(middle))
      high = middle
    } catch (error) {
      assert.equal(error, stepsExceeded)
      low = middle + 1
    }
  }
  return low
}

describe('the cost of a match', () => {
  const n = 2_000
  const text = 'a'.repeat(n)
  const half = 'a'.repeat(n / 2)
  const slow = {
    'many pieces that nearly fit': `${'*a?'.repeat(600)}*b*`,
    'one piece of half the text, with ? first': `*?${half}z*`,
    'one piece of half the text, with ? last': `*${half}z?*`,
    'half of the text ?': `*${'?'.repeat(n / 2)}z*`,
    'every other character ?': `*${'?a'.repeat(n / 4)}z*`,
    'one literal piece of half the text': `*z${half}*`,
    'a literal piece that differs in its middle': `*${half.slice(500)}z${half.slice(500)}*`,
    'a short piece with ?': `*?${'a'.repeat(14)}z*`,
    'a short literal piece': `*${'a'.repeat(200)}z*`,
  }
  for (const [name, pattern] of Object.entries(slow)) {
    test(`${name}: no more steps than the bound says`, () => {
      const m = pattern.length
      for (const searched of [text, `z${text}`]) {
        const steps = stepsOf(pattern, searched)
        assert.ok(steps <= 2 * m + 16 * n + (m * n) / 32, `${steps} steps`)
        assert.ok(steps > 0)
      }
    })
  }

  test('a search in words spends a step for each word', () => {
    // With one z, so that no character of the pattern is missing from the text.
    assert.ok(stepsOf(slow['one piece of half the text, with ? first'], `z${text}`) > (n * n) / 4 / 32)
  })

  test('a pattern without anything between two * costs nothing, since it is no longer than its policy', () => {
    for (const pattern of ['a*', '*a', `a*${half}`, text, `${'?'.repeat(n)}`, `a${'?'.repeat(n - 2)}*`]) {
      assert.equal(stepsOf(pattern, text), 0)
    }
  })
})
