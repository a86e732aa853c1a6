import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Coverage, coverageOf } from '#iam/policy/below.ts'
import { compilePolicy } from '#iam/policy/compile.ts'
import { requestContext } from '#iam/policy/context.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import { evaluate } from '#iam/policy/evaluate.ts'
import { anyOne, anyRun, type GlobToken, globOf, matchesGlob } from '#lib/glob.ts'
import { parseAccountId } from '#names/account.ts'

const arn = (name: string) => `arn:aws:ecr:us-east-1:000000000000:repository/${name}`

describe('a request about all repositories below a prefix', () => {
  const account = parseAccountId('000000000000')
  const decide = (resource: string, ...statements: object[]) => {
    const document = { Version: '2012-10-17', Statement: statements.map((each) => ({ Action: '*', ...each })) }
    return evaluate(
      {
        requester: { kind: 'user', account, arn: `arn:aws:iam::${account}:user/u` } as never,
        action: 'ecr:SetRepositoryPolicy',
        resource,
        owner: account,
        context: requestContext([['aws:username', 'u']]),
      },
      { identity: [compilePolicy('own', parsePolicy(JSON.stringify(document), 'identity'))], resource: [] },
    ).allowed
  }
  const everything = { Effect: 'Allow', Resource: '*' }

  test('is allowed only by a pattern that covers them all', () => {
    for (const [pattern, allowed] of [
      [arn('*'), true],
      [arn('team/*'), true],
      [arn('t*'), true],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
      [arn('${aws:username}/*'), false],
      [arn('team/?'), false],
      [arn('team/?*'), false],
      [arn('team/a*'), false],
      [arn('*/app'), false],
      ['arn:aws:ecr:eu-west-1:000000000000:repository/*', false],
    ] as const) {
      assert.equal(decide(arn('team/*'), { Effect: 'Allow', Resource: pattern }), allowed, pattern)
    }
    assert.equal(decide(arn('team/*'), { Effect: 'Allow', NotResource: arn('team/secret') }), false)
    assert.equal(decide(arn('team/*'), { Effect: 'Allow', NotResource: arn('other/*') }), true)
  })

  test('is denied by a pattern that is about one of them', () => {
    for (const [pattern, denied] of [
      [arn('team/secret'), true],
      [arn('team/secret/*'), true],
      [arn('*secret'), true],
      [arn('team/?'), true],
      [arn('t*'), true],
      [arn('team'), false],
      [arn('teams/*'), false],
      [arn('other*'), false],
      ['arn:aws:ecr:eu-west-1:000000000000:repository/team/*', false],
    ] as const) {
      assert.equal(decide(arn('team/*'), everything, { Effect: 'Deny', Resource: pattern }), !denied, pattern)
    }
    assert.equal(decide(arn('team/*'), everything, { Effect: 'Deny', NotResource: arn('team/public/*') }), false)
    assert.equal(decide(arn('team/*'), everything, { Effect: 'Deny', NotResource: arn('team/*') }), true)
    assert.equal(decide(arn('*'), everything, { Effect: 'Deny', Resource: arn('team/secret') }), false)
  })
})

test('coverage agrees with a trial of every short text', () => {
  // The last is a letter that no pattern names.
  const letters = ['a', 'b', 'z']
  const ends = ['']
  for (let from = 0, length = 0; length < 5; length++) {
    const until = ends.length
    for (; from < until; from++) for (const letter of letters) ends.push(ends[from] + letter)
  }
  const token = fc.constantFrom<GlobToken>('a', 'b', 'ab', anyRun, anyOne)
  // No pattern is longer than the longest trial.
  const pattern = fc.array(token, { maxLength: 5 }).filter((tokens) => globOf(tokens).shortest <= 5)
  fc.assert(
    fc.property(pattern, fc.stringMatching(/^[ab]{0,3}$/), (tokens, beginning) => {
      const matching = ends.filter((end) => matchesGlob(globOf(tokens), beginning + end)).length
      const expected: Coverage = matching === ends.length ? 'all' : matching > 0 ? 'some' : 'none'
      assert.equal(coverageOf(tokens, beginning), expected)
    }),
  )
})
