/** The steps that a decision has: what spends them, and what becomes of a decision that needs more. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compilePolicy, type Policy } from '#iam/policy/compile.ts'
import { requestContext } from '#iam/policy/context.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import { evaluate, type Policies, type Request } from '#iam/policy/evaluate.ts'
import { considerStatements } from '#iam/policy/explain.ts'
import { Steps } from '#lib/steps.ts'
import { parseAccountId } from '#names/account.ts'
import { explanationText } from '#wording/explanation.ts'
import { accessDeniedText } from '#wording/iam.ts'

const account = parseAccountId('111111111111')
const long = 'a'.repeat(2_000)

function requestWith(values: Record<string, string | string[]>, resource = 'repository/app'): Request {
  return {
    ...{ requester: { kind: 'user', account, arn: `arn:aws:iam::${account}:user/ci` }, owner: account },
    ...{ action: 'ecr:PutImage', resource: `arn:aws:ecr:r:${account}:${resource}` },
    context: requestContext(Object.entries(values)),
  }
}

const allow = { Effect: 'Allow', Action: '*', Resource: '*' }
const deny = { ...allow, Effect: 'Deny' }
const slow = { Condition: { StringLike: { 'x:y': `*?${'a'.repeat(900)}z*` } } }
const asksLong = requestWith({ 'x:y': long })

function policy(name: string, ...statements: object[]): Policy {
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  return { ...compilePolicy(name, parsePolicy(document, 'identity')), document }
}

const own = (...statements: object[]): Policies => ({ identity: [policy('own', ...statements)], resource: [] })
const ranOutIn = (index: number) => ({
  ...{ allowed: false, reason: 'too many steps', type: 'identity-based policy' },
  statement: { type: 'identity-based policy', policy: 'own', index, sid: undefined },
})

describe('a decision that needs more steps than it has', () => {
  test('is a denial, also where other statements allow it', () => {
    for (const statements of [
      [allow, { ...deny, ...slow }],
      [allow, { ...allow, ...slow }, { ...deny, ...slow }],
    ]) {
      const verdict = evaluate(asksLong, own(...statements), new Steps(1_000))
      assert.deepEqual(verdict, ranOutIn(statements.length - 1))
    }
    assert.deepEqual(evaluate(asksLong, own({ ...allow, ...slow }, allow), new Steps(1_000)), ranOutIn(0))
    assert.equal(evaluate(asksLong, own(allow, { ...deny, ...slow })).allowed, true)
  })

  test('is an explicit denial where one was found', () => {
    const verdict = evaluate(asksLong, own(deny, { ...deny, ...slow }), new Steps(1_000))
    assert.equal(!verdict.allowed && verdict.reason, 'explicit deny')
  })

  test('names the statement in which the steps ran out, in the explanation and to the client', () => {
    const policies = own(allow, { ...deny, ...slow }, { ...deny, ...slow })
    const verdict = evaluate(asksLong, policies, new Steps(1_000))
    const { statements, complete } = considerStatements(asksLong, policies, verdict, 1_000)
    assert.equal(complete, false)
    assert.deepEqual(
      statements.map(({ index, outcome, decisive }) => [index, outcome, decisive]),
      [
        [0, 'applies', false],
        [1, 'too many steps', true],
      ],
    )
    assert.deepEqual(JSON.parse(statements[1]?.text() ?? ''), { ...deny, ...slow })
    const cited = statements.map((each) => ({ ...each, policyName: 'own of user ci', inline: undefined }))
    const [action, resource, principalArn] = ['ecr:PutImage', '*', 'arn:aws:iam::111111111111:user/ci']
    assert.equal(
      explanationText({ principalArn, action, resource, verdict, statements: cited, complete, presumed: undefined }),
      'Denied: to evaluate the policies for ecr:PutImage on * takes more than 4,000,000 steps, which ran out in statement 2 of the identity-based policy own of user ci. Patterns with fewer wildcards take fewer steps. Not all statements are shown, since to compare them takes too many steps.',
    )
    assert.ok(!verdict.allowed)
    assert.equal(
      accessDeniedText({ principalArn, action, resource, verdict }),
      `User: ${principalArn} is not authorized to perform: ecr:PutImage on resource: * because the policies take too many steps to evaluate`,
    )
  })
})

describe('what spends steps', () => {
  const variables = '${x:y}'.repeat(200)
  const costly: Record<string, [object, Request?]> = {
    'a pattern of StringLike': [slow],
    'many patterns of StringLike': [{ Condition: { StringLike: { 'x:y': ['*ab*', '*?ac*'] } } }],
    'a pattern of ArnLike': [
      { Condition: { ArnLike: { 'x:y': 'arn:*:*:*:*:*b*' } } },
      requestWith({ 'x:y': `arn:::::${long}` }),
    ],
    'an ARN with many colons': [
      { Condition: { ArnLike: { 'x:y': 'arn:b' } } },
      requestWith({ 'x:y': `arn${':'.repeat(2_000)}` }),
    ],
    'a text compared without case': [{ Condition: { StringEqualsIgnoreCase: { 'x:y': 'b' } } }],
    'variables with a long value in a pattern': [{ Condition: { StringLike: { 'x:y': `${variables}b` } } }],
    'variables with a long value in a text': [{ Condition: { StringEquals: { 'x:y': `${variables}b` } } }],
    'variables with a long value in a resource': [{ Resource: `arn:aws:ecr:r:*:${variables}` }],
    'a number of many digits': [
      { Condition: { NumericEquals: { 'x:y': '1' } } },
      requestWith({ 'x:y': '2'.repeat(2_000) }),
    ],
    'binary of many octets': [{ Condition: { BinaryEquals: { 'x:y': 'QQ==' } } }],
    'many values of the request': [
      { Condition: { 'ForAllValues:StringEquals': { 'x:y': ['a', 'b'] } } },
      requestWith({ 'x:y': Array.from({ length: 1_000 }, () => '') }),
    ],
    'many ranges of addresses for many values': [
      { Condition: { IpAddress: { 'x:y': Array.from({ length: 200 }, (_, index) => `10.0.${index}.0/24`) } } },
      requestWith({ 'x:y': Array.from({ length: 10 }, () => '192.0.2.1') }),
    ],
    'wildcards beside a variable that are longer than the text': [
      { Condition: { StringLike: { 'x:y': `${'*?'.repeat(500)}\${x:z, ''}` } } },
      requestWith({ 'x:y': 'a' }),
    ],
    'wildcards beside a variable in a resource': [{ Resource: `arn:aws:ecr:r:*:${'*?'.repeat(500)}\${x:z, ''}` }],
    'many patterns for short texts': [
      { Condition: { StringLike: { 'x:y': Array.from({ length: 100 }, () => 'b*c') } } },
      requestWith({ 'x:y': ['a', 'a'] }),
    ],
    'many patterns of ArnLike for short ARNs': [
      { Condition: { ArnLike: { 'x:y': Array.from({ length: 100 }, () => 'a:*?z') } } },
      requestWith({ 'x:y': 'arn::::::' }),
    ],
    'many resources': [{ Resource: Array.from({ length: 110 }, () => 'arn:*:ecr:*:*:b') }],
    'many actions with wildcards': [{ Action: Array.from({ length: 250 }, () => 'ecr:*?*z') }],
    'many keys that the request does not have': [
      { Condition: { StringNotEquals: Object.fromEntries(Array.from({ length: 110 }, (_, n) => [`x:${n}`, ''])) } },
    ],
    'wildcards in a field before the last, for all repositories below a prefix': [
      { Resource: `arn:aws:ecr:${'*?'.repeat(100)}:*:x` },
      requestWith({}, 'repository/team/*'),
    ],
    'many patterns for all repositories below a prefix': [
      { Resource: Array.from({ length: 10 }, (_, index) => `arn:aws:ecr:*:*:repository/x${index}/*`) },
      requestWith({}, 'repository/team/*'),
    ],
    'a pattern of the resource': [{ Resource: 'arn:aws:ecr:r:*:*b*' }, requestWith({}, `repository/${long}`)],
  }
  for (const [name, [parts, request = asksLong]] of Object.entries(costly)) {
    test(name, () => {
      const policies = own({ ...deny, ...parts })
      assert.deepEqual(evaluate(request, policies, new Steps(1_000)), ranOutIn(0))
      const steps = new Steps(Number.POSITIVE_INFINITY)
      evaluate(request, policies, steps)
      assert.ok(steps.spent < 500_000, String(steps.spent))
    })
  }

  test('an ordinary decision spends few', () => {
    const steps = new Steps(Number.POSITIVE_INFINITY)
    const policies = own(
      { Effect: 'Allow', Action: ['ecr:Batch*', 'ecr:Put*'], Resource: 'arn:aws:ecr:*:*:repository/*app*' },
      { ...deny, Condition: { StringNotEquals: { 'aws:PrincipalTag/team': ['a', 'b'] } } },
    )
    assert.ok(!evaluate(requestWith({ 'aws:PrincipalTag/team': 'c' }), policies, steps).allowed)
    assert.ok(steps.spent < 100, String(steps.spent))
  })

  test('statements that are not about the request spend a few each', () => {
    const steps = new Steps(Number.POSITIVE_INFINITY)
    const others = Array.from({ length: 100 }, () => ({ ...deny, Action: 's3:*' }))
    assert.ok(!evaluate(requestWith({}), own(...others), steps).allowed)
    assert.ok(steps.spent >= 1_000, String(steps.spent))
  })

  test('an explanation spends more for each statement and key that it shows', () => {
    const Condition = { StringNotEquals: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x:${n}`, 'a'])) }
    const statements = Array.from({ length: 20 }, () => ({ ...allow, Condition }))
    const request = requestWith({})
    const policies = own(...statements)
    const verdict = evaluate(request, policies, new Steps(100_000))
    assert.ok(verdict.allowed)
    const considered = considerStatements(request, policies, verdict, 100_000)
    assert.equal(considered.complete, false)
    assert.ok(considered.statements.length < 10, String(considered.statements.length))
  })
})
