/** The examples of docs/event-patterns.md. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'
import type { PatternRefusals } from '#events/pattern/refusals.ts'
import { Refusal } from '#lib/refusal.ts'
import { patternProblemText } from '#wording/event-patterns.ts'

const page = readFileSync(new URL('../../../../docs/event-patterns.md', import.meta.url), 'utf8')

function blocks(kind: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`json ${kind}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text)
}

/** The rows of the first table of a section, without its heading. */
function rows(title: string): string[][] {
  const [, section = ''] = page.split(`\n## ${title}\n`)
  const [table = ''] = section.split('\n|---|').slice(1)
  const lines = table.split('\n').slice(1)
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines.slice(0, end).map((line) =>
    line
      .slice(1, -1)
      .split(/ \| /)
      .map((cell) => cell.trim()),
  )
}

/** What stands in code, in a cell that has one example or more. */
function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

function fits(pattern: string, event: unknown): boolean {
  return matches(parsePattern(pattern), event)
}

describe('docs/event-patterns.md', () => {
  const [event = ''] = blocks('event')

  test('its patterns select the event, or do not, as it states', () => {
    const [selecting, others] = [blocks('fits'), blocks('does not fit')]
    assert.deepEqual([selecting.length, others.length], [4, 2])
    for (const pattern of selecting) assert.equal(fits(pattern, JSON.parse(event)), true, pattern)
    for (const pattern of others) assert.equal(fits(pattern, JSON.parse(event)), false, pattern)
  })

  const operators = rows('Operators')
  assert.equal(operators.length, 23)
  for (const [list = '', fitting = '', others = ''] of operators) {
    test(`operators: ${list}`, () => {
      const pattern = `{"field":${codes(list)[0]}}`
      for (const [cell, expected] of [[fitting, true] as const, [others, false] as const]) {
        const values = codes(cell)
        assert.ok(values.length > 0)
        for (const value of values) assert.equal(fits(pattern, JSON.parse(`{"field":${value}}`)), expected, value)
        if (cell.includes('absent')) assert.equal(fits(pattern, {}), expected)
      }
    })
  }

  const lists = rows('Lists in events')
  assert.equal(lists.length, 4)
  for (const [pattern = '', fitting = '', others = ''] of lists) {
    test(`lists: ${pattern}`, () => {
      const [written = ''] = codes(pattern)
      for (const value of codes(fitting)) assert.equal(fits(written, JSON.parse(value)), true, value)
      for (const value of codes(others)) assert.equal(fits(written, JSON.parse(value)), false, value)
    })
  }

  const refused = rows('Refused patterns')
  assert.equal(refused.length, 11)
  for (const [pattern = '', message = ''] of refused) {
    test(`refused: ${pattern}`, () => {
      assert.throws(
        () => parsePattern(codes(pattern)[0] ?? ''),
        (error) => {
          assert.ok(error instanceof Refusal)
          // `parsePattern` throws no other refusal.
          assert.equal(patternProblemText(error.facts as PatternRefusals['EventPatternInvalid']), message)
          return true
        },
      )
    })
  }

  test('a pattern of many wildcards is accepted', () => {
    assert.equal(fits('{"a":[{"wildcard":"*:*:*:*:*:repository/*"}]}', { a: 'arn:aws:ecr:r:1:repository/x' }), true)
  })
})
