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
    name: 'six lists of which only the last has no fitting value',
    pattern: { ...members(6, 'a', { x: [1], y: [2] }), b: { x: [3] } },
    event: {
      ...members(
        6,
        'a',
        entries(1_000, () => ({ x: 1, y: 2 })),
      ),
      b: [{ x: 4 }],
    },
  },
  {
    name: '1,000 combinations and a long list',
    pattern: { a: or('a', 10), b: or('b', 10), c: or('c', 10), d: { x: [1], y: [2], z: [3] } },
    event: {
      a: members(10, 'a', 1),
      b: members(10, 'b', 1),
      c: members(10, 'c', 1),
      d: entries(2_000, () => ({ x: 1, y: 2 })),
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

  test('an event of 100,000 lists within one another is decided', () => {
    const event: unknown = JSON.parse(`{"a":${'['.repeat(100_000)}"x"${']'.repeat(100_000)}}`)
    assert.equal(matches(parsePattern('{"a":["x"]}'), event), false)
    assert.equal(matches(parsePattern('{"b":[{"exists":false}]}'), event), true)
  })
})
