/** The words for an event pattern that is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePattern } from '#events/pattern/parse.ts'
import type { PatternRefusals } from '#events/pattern/refusals.ts'
import { Refusal } from '#lib/refusal.ts'
import { patternProblemText } from '#wording/event-patterns.ts'

function textOf(json: string): string {
  try {
    parsePattern(json)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    // `parsePattern` throws no other refusal.
    return patternProblemText(error.facts as PatternRefusals['EventPatternInvalid'])
  }
  return assert.fail(`parsed: ${json}`)
}

const texts: readonly [json: string, text: string][] = [
  ['{', 'The event pattern: it is not valid JSON'],
  ['[]', 'The event pattern: expected an object, found a list'],
  ['{"source":"aws.ecr"}', 'source: expected an object or a list of allowed values, found a text'],
  ['{"detail":{"result":[]}}', 'detail.result: the list is empty'],
  ['{"detail":{}}', 'detail: the object is empty'],
  ['{"a":["x"],"a":["y"]}', 'The event pattern: an object has the name "a" twice'],
  [
    '{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}',
    'The event pattern: it has two lists for the field a; use one list of all allowed values',
  ],
  ['{"a":[{"prefix":1}]}', 'a[0].prefix: expected a text or {"equals-ignore-case": "a text"}, found a number'],
  [
    '{"a":[{"starts":"x"}]}',
    'a[0]: there is no operator "starts" here; use prefix, suffix, equals-ignore-case, anything-but, numeric, cidr, exists, wildcard, exactly',
  ],
  ['{"a":[{"prefix":"x","suffix":"y"}]}', 'a[0]: expected one operator in the object, found 2'],
  ['{"a":[{"anything-but":["x",1]}]}', 'a[0].anything-but: the list has texts and numbers; use only one of the two'],
  [
    '{"a":[{"anything-but":{"prefix":""}}]}',
    'a[0].anything-but.prefix: the text is empty, so each text would be excluded',
  ],
  ['{"a":[{"numeric":["!",1]}]}', 'a[0].numeric[0]: there is no sign "!"; use =, >, >=, <, <='],
  ['{"a":[{"numeric":[">",1,"<"]}]}', 'a[0].numeric: expected a sign and a number, or two of each for a range'],
  ['{"a":[{"numeric":["<",1,">",2]}]}', 'a[0].numeric: a range begins with > or >= and ends with < or <='],
  ['{"a":[{"numeric":[">",2,"<",1]}]}', 'a[0].numeric: the first number of a range must be less than the second'],
  ['{"a":[{"numeric":["<",1e10]}]}', 'a[0].numeric[1]: 10000000000 is not between -5000000000 and 5000000000'],
  ['{"a":[{"cidr":"10.0.0.1"}]}', 'a[0].cidr: expected a network such as 10.0.0.0/8 or 2001:db8::/32'],
  [
    '{"a":[{"cidr":"10.0.0.1/32"}]}',
    'a[0].cidr: the network has at most 31 bits; for a single address use the address itself, without an operator',
  ],
  ['{"a":[{"wildcard":"a**"}]}', 'a[0].wildcard: character 2 is a * before another *; use one'],
  ['{"a":[{"wildcard":"a\\\\b"}]}', 'a[0].wildcard: character 2 is a \\ that is neither before a * nor before a \\'],
  ['{"$or":[{"a":["x"]}]}', '$or: expected at least 2 alternatives, found 1'],
  [
    '{"$or":[{"a":["x"]},{"cidr":["x"]}]}',
    '$or[1].cidr: "cidr" is the name of an operator, so it cannot be a field within $or',
  ],
]

test('the words for a refused pattern name the place and what is wrong there', () => {
  for (const [json, text] of texts) assert.equal(textOf(json), text)
})

test('the words for a refused pattern have at most 1,001 characters', () => {
  assert.equal(textOf(`{"${'x'.repeat(2_000)}":1}`).length, 1_001)
})
