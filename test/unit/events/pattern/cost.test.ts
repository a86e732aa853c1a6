/** A hostile pattern and a large event end in processor time that grows with their product at most. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'

/** Each case needs about a tenth of a second. One that tries all ways would not end. */
const mostMilliseconds = 3_000

const entries = <T>(count: number, entry: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => entry(index))
const members = <T>(count: number, name: string, value: T) =>
  Object.fromEntries(entries(count, (index) => [`${name}${index}`, value]))
const or = (name: string, count: number) => ({ $or: entries(count, (index) => ({ [`${name}${index}`]: [1] })) })

/** The values of `x` and `y` in different entries. */
const apart = (count: number) => entries(count, (index) => (index % 2 === 0 ? { x: 1 } : { y: 2 }))

function nested(depth: number, value: unknown): unknown {
  return depth === 0 ? value : [nested(depth - 1, value), nested(depth - 1, value)]
}

const cases: readonly { name: string; pattern: unknown; event: unknown }[] = [
  {
    name: '2,000 wildcards, each with many places',
    pattern: { a: [{ wildcard: `${'*x'.repeat(2_000)}*y` }] },
    event: { a: 'x'.repeat(256_000) },
  },
  {
    name: 'long pieces between wildcards that almost fit',
    pattern: { a: [{ wildcard: `*${'x'.repeat(2_000)}y*${'x'.repeat(2_000)}z*` }] },
    event: { a: 'x'.repeat(256_000) },
  },
  {
    name: 'six lists that fit, and one with the values in different entries',
    pattern: { ...members(6, 'a', { x: [1], y: [2] }), b: { x: [1], y: [2] } },
    event: {
      ...members(
        6,
        'a',
        entries(1_000, () => ({ x: 1, y: 2 })),
      ),
      b: apart(2),
    },
  },
  {
    name: '1,000 combinations and a long list',
    pattern: { d: { x: [1], y: [2] }, a: or('a', 10), b: or('b', 10), c: or('c', 10) },
    event: {
      a: members(10, 'a', 1),
      b: members(10, 'b', 1),
      c: members(10, 'c', 1),
      d: apart(20_000),
    },
  },
  {
    name: 'lists within lists, with a field of the list and one below it',
    pattern: { a: ['x'], 'a.b': ['y'] },
    event: { a: ['x', nested(15, 'x')] },
  },
]

describe('the cost of a pattern', () => {
  for (const { name, pattern, event } of cases) {
    test(`is bounded: ${name}`, () => {
      const before = process.cpuUsage()
      assert.equal(matches(parsePattern(JSON.stringify(pattern)), event), false)
      const { user, system } = process.cpuUsage(before)
      assert.ok((user + system) / 1_000 < mostMilliseconds, `${(user + system) / 1_000} ms`)
    })
  }

  test('is bounded: to read 1,000 combinations of 350 fields', () => {
    const pattern = { ...members(350, 'f', [1]), a: or('', 10), b: or('', 10), c: or('', 10) }
    const json = JSON.stringify(pattern)
    const before = process.cpuUsage()
    const { combinations } = parsePattern(json)
    const { user, system } = process.cpuUsage(before)
    assert.equal(combinations.length, 1_000)
    // Arrays of fields would hold a hundred times as much, and their parsing would last ten times as long.
    assert.equal(combinations[0]?.byteLength, 48)
    assert.ok((user + system) / 1_000 < mostMilliseconds, `${(user + system) / 1_000} ms`)
  })

  test('an event of 100,000 lists within one another is decided', () => {
    const event: unknown = JSON.parse(`{"a":${'['.repeat(100_000)}"x"${']'.repeat(100_000)}}`)
    assert.equal(matches(parsePattern('{"a":["x"]}'), event), false)
    assert.equal(matches(parsePattern('{"b":[{"exists":false}]}'), event), true)
  })
})
