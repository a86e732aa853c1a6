/** Conditions: every operator, and what a missing key, several values and set operators mean. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileConditions, parseConditions } from '#iam/policy/conditions.ts'
import { requestContext } from '#iam/policy/context.ts'
import { type OperatorName, operators } from '#iam/policy/operators.ts'
import { unlimitedSteps } from '#lib/steps.ts'

type Values = Record<string, string | string[]>

function holds(condition: unknown, values: Values, variables = true): boolean {
  const conditions = parseConditions(condition, 'Condition', { variables })
  const context = requestContext(Object.entries(values))
  return compileConditions(conditions, { variables })({ context, steps: unlimitedSteps })
}

/** Operator, what the policy holds, what the request holds, whether it holds. */
type Case = [string, string | string[], string | string[], boolean]

const cases: Case[] = [
  ['StringEquals', 'prod', 'prod', true],
  ['StringEquals', 'prod', 'Prod', false],
  ['StringEquals', ['dev', 'prod'], 'prod', true],
  ['StringEquals', 'pro*', 'prod', false],
  ['StringEquals', 'pro*', 'pro*', true],
  ['StringEquals', '', '', true],
  ['StringNotEquals', 'prod', 'prod', false],
  ['StringNotEquals', 'prod', 'dev', true],
  ['StringNotEquals', ['dev', 'prod'], 'prod', false],
  ['StringEqualsIgnoreCase', 'prod', 'PROD', true],
  ['StringEqualsIgnoreCase', 'prod', 'product', false],
  ['StringNotEqualsIgnoreCase', 'prod', 'PROD', false],
  ['StringNotEqualsIgnoreCase', 'prod', 'dev', true],
  ['StringLike', 'pro?-*', 'prod-eu', true],
  ['StringLike', 'pro?-*', 'Prod-eu', false],
  ['StringLike', 'pro?-*', 'pro-eu', false],
  ['StringNotLike', 'pro*', 'prod', false],
  ['StringNotLike', 'pro*', 'dev', true],
  ['NumericEquals', '10', '10.0', true],
  ['NumericEquals', '1e1', '10', true],
  ['NumericEquals', '10', 'ten', false],
  ['NumericNotEquals', '10', '11', true],
  ['NumericNotEquals', ['10', '11'], '11', false],
  ['NumericLessThan', '10', '9.5', true],
  ['NumericLessThan', '10', '10', false],
  ['NumericLessThanEquals', '10', '10', true],
  ['NumericLessThanEquals', '10', '9', true],
  ['NumericGreaterThan', '-10', '-9', true],
  ['NumericGreaterThan', '10', '9', false],
  ['NumericGreaterThanEquals', '10', '10', true],
  ['NumericGreaterThanEquals', ['100', '10'], '50', true],
  ['DateEquals', '2026-02-28', '2026-02-28T01:00:00+01:00', true],
  ['DateEquals', '1772236800', '2026-02-28T00:00:00Z', true],
  ['DateEquals', '2026', '1767225600', true],
  ['DateEquals', '2026-02-28', 'soon', false],
  ['DateNotEquals', '2026-02-28', '2026-02-28T00:00:00.001Z', true],
  ['DateLessThan', '2026-03', '2026-02-28T23:59:59Z', true],
  ['DateLessThan', '2026-03', '2026-03-01T00:00:00Z', false],
  ['DateLessThanEquals', '2026-03', '2026-03-01T00:00:00Z', true],
  ['DateGreaterThan', '2020-01-01T00:00:01Z', '2020-01-01T00:00:02Z', true],
  ['DateGreaterThan', '2020-01-01T00:00:01Z', '2020-01-01T00:00:01Z', false],
  ['DateGreaterThanEquals', '2020-01-01T00:00:01Z', '2020-01-01T00:00:01Z', true],
  ['Bool', 'true', 'true', true],
  ['Bool', 'True', 'true', true],
  ['Bool', 'true', 'false', false],
  ['Bool', 'false', 'false', true],
  ['Bool', 'false', 'no', false],
  ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', true],
  ['BinaryEquals', 'QmluYXJ5', 'qmluYXJ5', false],
  ['BinaryEquals', 'QR==', 'QQ==', true],
  ['IpAddress', '203.0.113.0/24', '203.0.113.255', true],
  ['IpAddress', '203.0.113.0/24', '203.0.114.0', false],
  ['IpAddress', '203.0.113.77/24', '203.0.113.1', true],
  ['IpAddress', '203.0.113.5', '203.0.113.5', true],
  ['IpAddress', '203.0.113.5', '203.0.113.6', false],
  ['IpAddress', '0.0.0.0/0', '198.51.100.1', true],
  ['IpAddress', '0.0.0.0/0', '::1', false],
  ['IpAddress', '::/0', '198.51.100.1', false],
  ['IpAddress', '::/0', '2001:db8::1', true],
  ['IpAddress', '2001:DB8:1234:5678::/64', '2001:db8:1234:5678:9:a:b:c', true],
  ['IpAddress', '2001:DB8:1234:5678::/64', '2001:db8:1234:5679::', false],
  ['IpAddress', '2001:db8::1', '2001:db8:0::1', true],
  ['IpAddress', '10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['IpAddress', ['203.0.113.0/24', '2001:db8::/32'], '2001:db8::9', true],
  ['IpAddress', '0.0.0.0/0', 'unknown', false],
  ['NotIpAddress', '203.0.113.0/24', '203.0.113.9', false],
  ['NotIpAddress', ['203.0.113.0/24', '10.0.0.0/8'], '10.0.0.1', false],
  ['NotIpAddress', '203.0.113.0/24', '2001:db8::9', true],
  ['ArnEquals', 'arn:aws:sns:*:111111111111:topic-*', 'arn:aws:sns:us-east-1:111111111111:topic-a', true],
  ['ArnEquals', 'arn:aws:sns:*:topic', 'arn:aws:sns:us-east-1:111111111111:topic', false],
  ['ArnEquals', 'arn:aws:sns:*:*:Topic', 'arn:aws:sns:us-east-1:111111111111:topic', false],
  ['ArnLike', 'arn:aws:iam::111111111111:role/*', 'arn:aws:iam::111111111111:role/path/ci', true],
  ['ArnLike', '*', 'arn:aws:iam::111111111111:role/ci', true],
  ['ArnLike', '*', 'no ARN', false],
  ['ArnNotEquals', 'arn:aws:iam::*:role/ci', 'arn:aws:iam::111111111111:role/ci', false],
  ['ArnNotLike', 'arn:aws:iam::*:role/ci', 'arn:aws:iam::111111111111:role/cd', true],
]

/** One value that each operator takes, for what does not hang on it. */
const sample: Record<OperatorName, string> = {
  ...Object.fromEntries(Object.keys(operators).map((name) => [name, 'x'])),
  ...Object.fromEntries(
    Object.keys(operators).flatMap((name) => (/^(Numeric|Date)/.test(name) ? [[name, '2026']] : [])),
  ),
  ...{ Bool: 'true', Null: 'true', BinaryEquals: 'QQ==', IpAddress: '10.0.0.1', NotIpAddress: '10.0.0.1' },
} as Record<OperatorName, string>

const others = (Object.keys(operators) as OperatorName[]).filter((name) => name !== 'Null')

describe('condition operators', () => {
  for (const [operator, given, requested, expected] of cases) {
    test(`${operator} ${JSON.stringify(given)} ${expected ? 'holds' : 'does not hold'} for ${JSON.stringify(requested)}`, () => {
      assert.equal(holds({ [operator]: { 'x:y': given } }, { 'x:y': requested }), expected)
    })
  }

  test('every operator is in the table of cases', () => {
    const tested = new Set(cases.map(([operator]) => operator))
    assert.deepEqual(
      others.filter((name) => !tested.has(name)),
      [],
    )
  })

  test('a denial is the opposite of what it denies', () => {
    const pairs = others.filter((name) => name.includes('Not')).map((name) => [name, name.replace('Not', '')])
    assert.equal(pairs.length, 8)
    const value = fc.constantFrom('a', 'A', '7', '2026', '10.0.0.1', 'arn:aws:s3:::x', 'arn:aws:s3:::*', '')
    const list = fc.array(value, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.constantFrom(...pairs), list, list, ([negated = '', plain = ''], given, requested) => {
        const accepted = given.filter((one) =>
          operators[plain as OperatorName].comparison.accepts(one, { variables: true }),
        )
        const one = holds({ [plain]: { 'x:y': accepted } }, { 'x:y': requested })
        assert.notEqual(holds({ [negated]: { 'x:y': accepted } }, { 'x:y': requested }), one)
      }),
      { numRuns: 1_000 },
    )
  })

  test('keys are compared in any case', () => {
    assert.ok(holds({ StringEquals: { 'AWS:principaltag/Team': 'a' } }, { 'aws:PrincipalTag/team': 'a' }))
  })

  test('all keys and all operators must hold; without any nothing is asked', () => {
    const both = { StringEquals: { 'x:a': '1', 'x:b': '2' }, NumericLessThan: { 'x:a': '5' } }
    assert.ok(holds(both, { 'x:a': '1', 'x:b': '2' }))
    assert.ok(!holds(both, { 'x:a': '1', 'x:b': '3' }))
    assert.ok(!holds(both, { 'x:b': '2' }))
    assert.ok(holds({}, {}))
    assert.ok(holds(undefined, {}))
  })

  test('the time of day of the user guide: between noon and three, from either network', () => {
    const condition = {
      DateGreaterThan: { 'aws:CurrentTime': '2019-07-16T12:00:00Z' },
      DateLessThan: { 'aws:CurrentTime': '2019-07-16T15:00:00Z' },
      IpAddress: { 'aws:SourceIp': ['192.0.2.0/24', '203.0.113.0/24'] },
    }
    const at = (time: string, from: string) => holds(condition, { 'aws:CurrentTime': time, 'aws:SourceIp': from })
    assert.ok(at('2019-07-16T13:00:00Z', '203.0.113.9'))
    assert.ok(!at('2019-07-16T15:00:00Z', '203.0.113.9'))
    assert.ok(!at('2019-07-16T13:00:00Z', '198.51.100.9'))
  })
})

describe('a missing key', () => {
  for (const operator of others) {
    const value = sample[operator]
    test(`${operator}: only a denial holds, IfExists holds, of sets ForAllValues alone`, () => {
      for (const values of [{}, { 'x:y': [] }]) {
        const outcome = (name: string) => holds({ [name]: { 'x:y': value } }, values)
        assert.equal(outcome(operator), operators[operator].negated)
        assert.equal(outcome(`${operator}IfExists`), true)
        assert.equal(outcome(`ForAllValues:${operator}`), true)
        assert.equal(outcome(`ForAnyValue:${operator}`), false)
        assert.equal(outcome(`ForAnyValue:${operator}IfExists`), false)
      }
    })
  }

  test('IfExists asks of a key that is there what the operator asks', () => {
    for (const [operator, given, requested, expected] of cases) {
      assert.equal(holds({ [`${operator}IfExists`]: { 'x:y': given } }, { 'x:y': requested }), expected)
    }
  })

  test('Null tells whether it is missing', () => {
    for (const [given, values, expected] of [
      ['true', {}, true],
      ['true', { 'x:y': [] }, true],
      ['true', { 'x:y': 'a' }, false],
      ['false', { 'x:y': 'a' }, true],
      ['false', {}, false],
      [['true', 'false'], {}, true],
      ['TRUE', {}, true],
    ] as const) {
      assert.equal(holds({ Null: { 'x:y': given } }, values as Values), expected)
    }
  })
})

describe('several values of a key', () => {
  const tags = (operator: string, requested: string[]) =>
    holds({ [operator]: { 'aws:TagKeys': ['DataClass', 'Owner'] } }, { 'aws:TagKeys': requested })
  const table: [string, string[], boolean][] = [
    ['ForAllValues:StringEquals', ['DataClass', 'Owner'], true],
    ['ForAllValues:StringEquals', ['Owner'], true],
    ['ForAllValues:StringEquals', ['Owner', 'Dept'], false],
    ['ForAllValues:StringEquals', [''], true],
    ['ForAllValues:StringNotEquals', ['Dept', 'Area'], true],
    ['ForAllValues:StringNotEquals', ['Dept', 'Owner'], false],
    ['ForAnyValue:StringEquals', ['Dept', 'Owner'], true],
    ['ForAnyValue:StringEquals', ['Dept'], false],
    ['ForAnyValue:StringEquals', [''], false],
    ['ForAnyValue:StringNotEquals', ['DataClass', 'Owner'], false],
    ['ForAnyValue:StringNotEquals', ['DataClass', 'Dept'], true],
    ['ForAnyValue:StringLike', ['Dept', 'Own'], false],
    // Without a set operator any will do, and a denial denies them all.
    ['StringEquals', ['Dept', 'Owner'], true],
    ['StringNotEquals', ['Dept', 'Owner'], false],
    ['StringNotEquals', ['Dept', 'Area'], true],
  ]
  for (const [operator, requested, expected] of table) {
    test(`${operator} [DataClass, Owner] ${expected ? 'holds' : 'does not hold'} for ${requested}`, () => {
      assert.equal(tags(operator, requested), expected)
    })
  }

  test('keys that differ in case are one key with the values of both', () => {
    assert.ok(holds({ 'ForAllValues:StringEquals': { 'x:y': ['a', 'b'] } }, { 'x:Y': 'a', 'X:y': 'b' }))
    assert.ok(!holds({ 'ForAllValues:StringEquals': { 'x:y': ['a'] } }, { 'x:Y': 'a', 'X:y': 'b' }))
  })
})

describe('variables in conditions', () => {
  const values = { 'aws:username': 'ci', 'aws:PrincipalTag/team': 'a', 'x:star': '*' }
  test('they stand for the value of the request in texts and ARNs', () => {
    assert.ok(holds({ StringEquals: { 'x:y': '${aws:username}/x' } }, { ...values, 'x:y': 'ci/x' }))
    assert.ok(holds({ StringLike: { 'x:y': '${aws:PrincipalTag/team}-*' } }, { ...values, 'x:y': 'a-b' }))
    assert.ok(holds({ StringEqualsIgnoreCase: { 'x:y': '${aws:USERNAME}' } }, { ...values, 'x:y': 'CI' }))
    const arn = 'arn:aws:iam::111111111111:user/ci'
    assert.ok(
      holds(
        { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${aws:username}' } },
        { ...values, 'aws:PrincipalArn': arn },
      ),
    )
  })

  test('a value brings no wildcard with it, and ${*} is none', () => {
    assert.ok(!holds({ StringLike: { 'x:y': '${x:star}' } }, { ...values, 'x:y': 'anything' }))
    assert.ok(holds({ StringLike: { 'x:y': 'a${*}' } }, { 'x:y': 'a*' }))
    assert.ok(!holds({ StringLike: { 'x:y': 'a${*}' } }, { 'x:y': 'ab' }))
    assert.ok(holds({ StringEquals: { 'x:y': '${$}{aws:username}' } }, { ...values, 'x:y': '${aws:username}' }))
  })

  test('without a value nothing compares, but a default stands in', () => {
    assert.ok(!holds({ StringEquals: { 'x:y': '${x:none}' } }, { 'x:y': '' }))
    assert.ok(holds({ StringNotEquals: { 'x:y': '${x:none}' } }, { 'x:y': 'a' }))
    assert.ok(holds({ StringEquals: { 'x:y': "${x:none, 'team'}" } }, { 'x:y': 'team' }))
  })

  test('before version 2012-10-17 they stand for themselves', () => {
    assert.ok(holds({ StringEquals: { 'x:y': '${aws:username}' } }, { ...values, 'x:y': '${aws:username}' }, false))
    assert.ok(!holds({ StringEquals: { 'x:y': '${aws:username}' } }, { ...values, 'x:y': 'ci' }, false))
  })
})
