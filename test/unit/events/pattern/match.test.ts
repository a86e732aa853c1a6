/** The matcher against a slow and obvious one, and what a hostile pattern may cost. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'
import { Refusal } from '#lib/refusal.ts'
import { events, type JsonObject, patterns } from './generated.ts'
import { matchesNaively } from './naive.ts'

function parsed(pattern: JsonObject) {
  try {
    return parsePattern(JSON.stringify(pattern))
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return undefined
  }
}

describe('the matcher of event patterns', () => {
  test('it decides as a plain one does', () => {
    let [fit, compared] = [0, 0]
    fc.assert(
      fc.property(patterns, events, (pattern, event) => {
        const read = parsed(pattern)
        fc.pre(read !== undefined)
        const expected = matchesNaively(pattern, event)
        assert.equal(matches(read, event), expected)
        compared++
        if (expected) fit++
      }),
      { numRuns: 5_000 },
    )
    assert.ok(fit * 20 > compared, `${fit} of ${compared} events fit`)
  })

  test('each value is read as a pattern or refused, and each event is decided', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        fc.jsonValue(),
        (json, event) => {
          try {
            assert.equal(typeof matches(parsePattern(json), event), 'boolean')
          } catch (error) {
            assert.ok(error instanceof Refusal, String(error))
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
