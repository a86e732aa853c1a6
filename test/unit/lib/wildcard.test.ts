/** Wildcard patterns, against the regular expression that says the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { matchesWildcard } from '#lib/wildcard.ts'

function matchesByRegExp(pattern: string, text: string): boolean {
  const pieces = pattern.split('*').map((piece) => RegExp.escape(piece))
  return new RegExp(`^${pieces.join('.*')}$`, 's').test(text)
}

describe('wildcard patterns', () => {
  test('they match what the regular expression with .* for each * matches', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        assert.equal(matchesWildcard(pattern, text), matchesByRegExp(pattern, text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('all but * stands for itself', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (pattern, text) => {
        assert.equal(matchesWildcard(pattern, text), matchesByRegExp(pattern, text))
        assert.ok(matchesWildcard(`*${text.replaceAll('*', '')}*`, text.replaceAll('*', '')))
      }),
    )
  })

  test('a pattern that would make a regular expression backtrack is decided at once', () => {
    const before = performance.now()
    assert.equal(matchesWildcard(`${'*a'.repeat(60)}*b`, 'a'.repeat(10_000)), false)
    assert.ok(performance.now() - before < 200)
  })
})
