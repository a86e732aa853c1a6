/** What EventBridge answers for patterns of each kind, and which patterns it refuses. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'
import { Refusal } from '#lib/refusal.ts'
import { eventVectors } from './event-vectors.ts'
import { fieldVectors } from './field-vectors.ts'
import { refusedVectors } from './refused-vectors.ts'

function decide(pattern: unknown, event: unknown): boolean {
  return matches(parsePattern(JSON.stringify(pattern)), event)
}

/** The problem and the path of a refused pattern. */
function refusalOf(json: string): { problem: unknown; path: unknown } {
  try {
    parsePattern(json)
  } catch (error) {
    assert.ok(error instanceof Refusal)
    assert.equal(error.code, 'EventPatternInvalid')
    const facts = error.facts
    assert.ok(typeof facts === 'object' && facts !== null && 'problem' in facts && 'path' in facts)
    return { problem: facts.problem, path: facts.path }
  }
  return assert.fail(`parsed: ${json}`)
}

describe('event patterns', () => {
  for (const { source, pattern, fits, fitsNot } of fieldVectors) {
    test(`${source}: ${JSON.stringify(pattern)}`, () => {
      for (const value of fits) {
        assert.equal(decide({ detail: { field: pattern } }, { detail: { field: value } }), true, JSON.stringify(value))
      }
      for (const value of fitsNot) {
        assert.equal(decide({ detail: { field: pattern } }, { detail: { field: value } }), false, JSON.stringify(value))
      }
    })
  }

  for (const { source, pattern, fits, fitsNot } of eventVectors) {
    test(`${source}: ${JSON.stringify(pattern)}`, () => {
      for (const event of fits) assert.equal(decide(pattern, event), true, JSON.stringify(event))
      for (const event of fitsNot) assert.equal(decide(pattern, event), false, JSON.stringify(event))
    })
  }

  for (const { source, pattern, problem, path } of refusedVectors) {
    test(`${source}: ${JSON.stringify(pattern)} is refused`, () => {
      assert.deepEqual(refusalOf(JSON.stringify(pattern)), { problem, path })
    })
  }

  test('text that is no JSON is refused', () => {
    for (const json of ['', 'this is no JSON', "{'a': ['b']}", '{"a": ["b"]', '{"a": ["b"]} x']) {
      assert.deepEqual(refusalOf(json), { problem: 'syntax', path: '' })
    }
  })

  test('an object with the same name twice is refused', () => {
    assert.deepEqual(refusalOf('{"a":["x"],"a":["y"]}'), { problem: 'name repeated', path: '' })
    assert.deepEqual(refusalOf('{"a":[{"prefix":"x","prefix":"y"}]}'), { problem: 'name repeated', path: '' })
    assert.deepEqual(refusalOf('{"\\u0061":["x"],"a":["y"]}'), { problem: 'name repeated', path: '' })
  })

  test('a pattern of 4,096 characters is read, one of 4,097 is refused', () => {
    const json = `{"a":["${'x'.repeat(4096 - 10)}"]}`
    assert.equal(json.length, 4096)
    assert.equal(matches(parsePattern(json), { a: 'x'.repeat(4086) }), true)
    assert.deepEqual(refusalOf(` ${json}`), { problem: 'too long', path: '' })
  })

  test('objects within 99 others are read, within 100 refused, as are paths of 101 names', () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}["x"]${'}'.repeat(depth - 1)}`
    parsePattern(nested(100))
    assert.deepEqual(refusalOf(nested(101)), { problem: 'too deep', path: '' })
    const path = (names: number) => Array.from({ length: names }, () => 'a').join('.')
    parsePattern(JSON.stringify({ [path(100)]: ['x'] }))
    assert.deepEqual(refusalOf(JSON.stringify({ [path(101)]: ['x'] })), { problem: 'too deep', path: path(101) })
  })

  test('alternatives that make 1,000 combinations are read, more are refused', () => {
    const or = (name: string, count: number) => ({
      $or: Array.from({ length: count }, (_, index) => ({ [`${name}${index}`]: [1] })),
    })
    const pattern = { a: or('a', 10), b: or('b', 10), c: or('c', 10) }
    assert.equal(decide(pattern, { a: { a9: 1 }, b: { b0: 1 }, c: { c5: 1 } }), true)
    assert.equal(decide(pattern, { a: { a9: 1 }, c: { c5: 1 } }), false)
    const more = { ...pattern, d: or('d', 2) }
    assert.deepEqual(refusalOf(JSON.stringify(more)), { problem: 'too many combinations', path: 'd' })
    const nested = { $or: Array.from({ length: 2 }, (_, index) => ({ [`x${index}`]: pattern })) }
    assert.deepEqual(refusalOf(JSON.stringify(nested)), { problem: 'too many combinations', path: '$or' })
  })

  test('an event that is no object fits no pattern', () => {
    const pattern = parsePattern('{"source":["aws.ecr"]}')
    for (const event of [undefined, null, 'source', 5, ['aws.ecr'], () => 'aws.ecr']) {
      assert.equal(matches(pattern, event), false)
    }
  })

  test('an event without own members has none', () => {
    const pattern = parsePattern('{"toString":{"name":[{"exists":true}]},"constructor":[{"exists":false}]}')
    assert.equal(matches(pattern, {}), false)
    assert.equal(matches(parsePattern('{"__proto__":{"a":["x"]}}'), JSON.parse('{"__proto__":{"a":"x"}}')), true)
  })
})
