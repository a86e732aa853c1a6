import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { statementPositions } from '#iamapi/statement-positions.ts'

const range = (...[line, column, endLine, endColumn]: readonly [number, number, number, number]) => ({
  StartPosition: { Line: line, Column: column },
  EndPosition: { Line: endLine, Column: endColumn },
})

const statement = { Effect: 'Allow', Action: '*', Resource: '*' }
const everything = { Version: '2012-10-17', Statement: [statement] }

/** With blanks after colons and commas, as Python prints JSON. */
const spaced = (value: unknown) => JSON.stringify(value).replaceAll(/([:,])(?=["{[])/g, '$1 ')

test('positions are those that AWS was recorded with', () => {
  const single = { Sid: '', Effect: 'Allow', Action: 's3:PutObject', Resource: '*' }
  const cases = [
    [spaced({ Version: '2012-10-17', Statement: single }), range(1, 41, 1, 113)],
    [JSON.stringify(everything, null, 2), range(3, 17, 8, 6)],
    [JSON.stringify(everything, null, '\t'), range(3, 16, 8, 4)],
    [JSON.stringify(everything), range(1, 38, 1, 84)],
  ] as const
  for (const [text, expected] of cases) assert.deepEqual(statementPositions(text), [expected], text)
})

test('the second statement begins where the first ends', () => {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement, statement] })
  const [first, second] = statementPositions(text)
  assert.deepEqual(second?.StartPosition, first?.EndPosition)
})

test('lists, conditions, escapes and an element of the same name inside do not mislead', () => {
  const text = String.raw`{"Id": "} ] \" \\", "\u0053tatement": [
  {"Condition": {"StringEquals": {"a:Statement": ["{", "]"]}}, "Statement": {}},
  {"Sid": "{\"Statement\":["}
], "Version": "2012-10-17"}`
  const lines = text.split('\n')
  assert.deepEqual(statementPositions(text), [
    range(1, (lines[0]?.length ?? 0) + 1, 2, lines[1]?.length ?? 0),
    range(2, lines[1]?.length ?? 0, 3, (lines[2]?.length ?? 0) + 1),
  ])
})

test('each position cuts its own statement out of any text', () => {
  const json = fc.object({ maxDepth: 2 })
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 4 }), json, fc.nat(4), (statements, other, indent) => {
      const text = JSON.stringify({ other, Statement: statements, more: [other] }, null, indent)
      const lines = text.split('\n')
      const offset = (line = 0, column = 0) =>
        lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1
      const found = statementPositions(text).map(({ StartPosition: start, EndPosition: end }) =>
        text.slice(offset(start.Line, start.Column), offset(end.Line, end.Column)),
      )
      const parsed = found.map((cut) => JSON.parse(cut.replace(/^\s*,/, '')))
      assert.deepEqual(parsed, JSON.parse(JSON.stringify(statements)))
    }),
  )
})
