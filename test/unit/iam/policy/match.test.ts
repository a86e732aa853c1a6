/** Patterns of ARNs, against a second, plainer matcher. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { requestContext } from '#iam/policy/context.ts'
import { compileArnPattern, splitArn } from '#iam/policy/match.ts'
import { unlimitedSteps } from '#lib/steps.ts'

/** As anybody would write it down, and slow for patterns of many stars. */
function matchesNaively(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] === '*') {
    return matchesNaively(pattern.slice(1), text) || (text !== '' && matchesNaively(pattern, text.slice(1)))
  }
  return (
    text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && matchesNaively(pattern.slice(1), text.slice(1))
  )
}

function matchesArn(pattern: string, arn: string, values: Record<string, string | string[]> = {}): boolean {
  const parts = splitArn(arn)
  const matches = compileArnPattern(pattern, { variables: true })
  return (
    parts !== undefined && matches(parts, { context: requestContext(Object.entries(values)), steps: unlimitedSteps })
  )
}

const app = 'arn:aws:ecr:eu-west-3:111111111111:repository/team/app'

describe('patterns of ARNs', () => {
  const cases: [string, string, boolean][] = [
    [app, app, true],
    ['arn:aws:ecr:eu-west-3:111111111111:repository/*', app, true],
    ['arn:aws:ecr:*:*:repository/team/???', app, true],
    ['arn:aws:ecr:*:*:repository/team/??', app, false],
    ['arn:aws:ecr:*:*:repository/TEAM/*', app, false],
    ['arn:aws:ecr:eu-*:1*:repo*app', app, true],
    // A wildcard stops at a colon, but in the last component.
    ['arn:aws:ecr:*:repository/team/app', app, false],
    ['arn:aws:*:111111111111:repository/team/app', app, false],
    ['arn:aws:logs:*:*:log-group:*:b', 'arn:aws:logs:r:1:log-group:a:c:b', true],
    ['arn:aws:logs:*:*:log-group?b', 'arn:aws:logs:r:1:log-group:b', true],
    // What is left out is `*`.
    ['arn:aws:ecr', app, true],
    ['arn:*', app, true],
    ['arn:aws:s3', app, false],
    ['arn:aws:ecr:eu-west-3:111111111111', app, true],
    // An empty component is one.
    ['arn:aws:iam::111111111111:user/*', 'arn:aws:iam::111111111111:user/a/b', true],
    ['arn:aws:iam:?:111111111111:user/*', 'arn:aws:iam::111111111111:user/a/b', false],
    ['arn:aws:iam:*:111111111111:user/*', 'arn:aws:iam::111111111111:user/a/b', true],
    ['arn:aws:ecr:eu-west-3:111111111111:', app, false],
  ]
  for (const [pattern, arn, expected] of cases) {
    test(`${pattern} ${expected ? 'matches' : 'does not match'} ${arn}`, () => {
      assert.equal(matchesArn(pattern, arn), expected)
    })
  }

  test('what has no six components is no ARN', () => {
    for (const text of ['*', '', 'arn', 'arn:aws:ecr:r:1', 'urn:aws:ecr:r:1:x']) assert.equal(splitArn(text), undefined)
    assert.deepEqual(splitArn('arn:a:b:c:d:e:f:'), ['arn', 'a', 'b', 'c', 'd', 'e:f:'])
  })

  test('each component is matched by itself: none of what the others hold matters', () => {
    const component = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 4 })
    const value = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 })
    const five = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 5, maxLength: 5 })
    fc.assert(
      fc.property(five(component), five(value), (patterns, values) => {
        const expected = patterns.every((pattern, index) => matchesNaively(pattern, values[index] ?? ''))
        assert.equal(matchesArn(['arn', ...patterns].join(':'), ['arn', ...values].join(':')), expected)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('variables in patterns', () => {
  const pattern = 'arn:aws:ecr:*:*:repository/${aws:username}/*'

  test('they stand for the value of the request, their names in any case', () => {
    assert.ok(matchesArn(pattern, app, { 'aws:UserName': 'team' }))
    assert.ok(!matchesArn(pattern, app, { 'aws:username': 'other' }))
  })

  test('a value brings no wildcard with it', () => {
    assert.ok(!matchesArn(pattern, app, { 'aws:username': '*' }))
    assert.ok(!matchesArn(pattern, app, { 'aws:username': 'tea?' }))
  })

  test('without a value, or with several, nothing matches', () => {
    assert.ok(!matchesArn(pattern, app))
    assert.ok(!matchesArn(pattern, app, { 'aws:username': ['team', 'team'] }))
  })

  test('a default stands in for a value that is missing', () => {
    const pattern = "arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team, 'team'}/*"
    assert.ok(matchesArn(pattern, app))
    assert.ok(!matchesArn(pattern, app, { 'aws:PrincipalTag/team': 'other' }))
  })

  test('${*}, ${?} and ${$} stand for the character', () => {
    const literal = 'arn:aws:ecr:*:*:repository/${*}${?}${$}'
    assert.ok(matchesArn(literal, 'arn:aws:ecr:r:1:repository/*?$'))
    assert.ok(!matchesArn(literal, 'arn:aws:ecr:r:1:repository/abc'))
  })
})
