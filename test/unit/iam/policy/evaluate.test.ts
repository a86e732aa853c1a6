/** Who may do what: the tables of the user guide, within an account and across accounts, and what each verdict cites. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compilePolicy, type Policy } from '#iam/policy/compile.ts'
import { requestContext } from '#iam/policy/context.ts'
import { type PolicyKind, parsePolicy } from '#iam/policy/document.ts'
import { evaluate, type Policies, type Verdict } from '#iam/policy/evaluate.ts'
import type { Requester } from '#iam/policy/principals.ts'
import { parseAccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'

const home = parseAccountId('111111111111')
const away = parseAccountId('222222222222')
const userArn = `arn:aws:iam::${home}:user/ci`
const roleArn = `arn:aws:iam::${home}:role/path/deploy`
const sessionArn = `arn:aws:sts::${home}:assumed-role/deploy/run-1`

const root: Requester = { kind: 'root', account: home }
const user: Requester = { kind: 'user', account: home, arn: userArn }
const session: Requester = { kind: 'session', account: home, arn: sessionArn, roleArn }
const service: Requester = { kind: 'service', name: 'lambda.amazonaws.com' }
const everybodyElse = { AWS: `arn:aws:iam::${home}:user/other` }

type Part = Record<string, unknown>

function policy(kind: PolicyKind, name: string, ...statements: Part[]): Policy {
  return compilePolicy(name, parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), kind))
}

const allow = { Effect: 'Allow', Action: 'ecr:*', Resource: '*' }
const deny = { ...allow, Effect: 'Deny' }
const nothing = { ...allow, Action: 'ecr:ListImages' }
const identity = (...statements: Part[]) => [policy('identity', 'mine', ...statements)]
const repository = (...statements: Part[]) => [policy('repository', 'app', ...statements)]
/** `boundary` and `session` as the tables name them: absent, silent about the action, or allowing it. */
const limit = (statement: Part) => policy('identity', 'limit', statement)
const to = (Principal: unknown, statement: Part = allow) => ({ ...statement, Principal })

function ask(
  requester: Requester,
  owner: typeof home,
  policies: Partial<Policies>,
  values: Record<string, string> = {},
) {
  const resource = `arn:aws:ecr:eu-west-3:${owner}:repository/team/app`
  const context = requestContext(Object.entries(values))
  return evaluate(
    { requester, action: 'ecr:PutImage', resource, owner, context },
    { identity: [], resource: [], ...policies },
  )
}

/** A verdict in a word: what allowed it, what denied it, or what was missing. */
function wordOf(verdict: Verdict): string {
  if (verdict.allowed) return ['allowed', ...verdict.statements.map(({ policy }) => policy)].join(' ')
  return verdict.reason === 'explicit deny' ? `denied by ${verdict.type}` : `no ${verdict.type}`
}

type Row = [name: string, requester: Requester, policies: Partial<Policies>, expected: string]

const bounded = { boundary: limit(nothing) }
const limited = { session: [limit(nothing)] }
const allowing = { boundary: limit(allow), session: [limit(allow)] }

describe('within an account', () => {
  const rows: Row[] = [
    ['nothing allows', user, {}, 'no identity-based policy'],
    ['something else is allowed', user, { identity: identity(nothing) }, 'no identity-based policy'],
    ['the identity is allowed', user, { identity: identity(allow) }, 'allowed mine'],
    ['the repository allows to the user', user, { resource: repository(to({ AWS: userArn })) }, 'allowed app'],
    ['the repository allows to everybody', user, { resource: repository(to('*')) }, 'allowed app'],
    ['the repository allows to another', user, { resource: repository(to(everybodyElse)) }, 'no identity-based policy'],
    [
      'the repository leaves it to the account',
      user,
      { resource: repository(to({ AWS: home })) },
      'no identity-based policy',
    ],
    [
      '… and the account grants it',
      user,
      { identity: identity(allow), resource: repository(to({ AWS: home })) },
      'allowed mine',
    ],
    [
      'the repository names another account',
      user,
      { resource: repository(to({ AWS: away })) },
      'no identity-based policy',
    ],
    ['the identity is denied', user, { identity: identity(allow, deny) }, 'denied by identity-based policy'],
    [
      'the repository denies',
      user,
      { identity: identity(allow), resource: repository(to('*', deny)) },
      'denied by resource-based policy',
    ],
    [
      'the repository denies the account',
      user,
      { identity: identity(allow), resource: repository(to({ AWS: home }, deny)) },
      'denied by resource-based policy',
    ],
    [
      'the repository denies another',
      user,
      { identity: identity(allow), resource: repository(to(everybodyElse, deny)) },
      'allowed mine',
    ],
    ['the boundary is silent', user, { identity: identity(allow), ...bounded }, 'no permissions boundary'],
    ['the boundary allows', user, { identity: identity(allow), boundary: limit(allow) }, 'allowed mine limit'],
    ['the boundary alone allows', user, { boundary: limit(allow) }, 'no identity-based policy'],
    [
      'the boundary denies',
      user,
      { identity: identity(allow), boundary: limit(deny) },
      'denied by permissions boundary',
    ],
    [
      'the boundary is silent, the repository names the user',
      user,
      { resource: repository(to({ AWS: userArn })), ...bounded },
      'allowed app',
    ],
    [
      'the boundary denies, the repository names the user',
      user,
      { resource: repository(to({ AWS: userArn })), boundary: limit(deny) },
      'denied by permissions boundary',
    ],
    ['the session policy is silent', session, { identity: identity(allow), ...limited }, 'no session policy'],
    [
      'the session policy denies',
      session,
      { identity: identity(allow), session: [limit(deny)] },
      'denied by session policy',
    ],
    [
      'of two session policies one allows',
      session,
      { identity: identity(allow), session: [limit(nothing), limit(allow)] },
      'allowed mine limit',
    ],
    ['both limits allow', session, { identity: identity(allow), ...allowing }, 'allowed mine limit limit'],
    ['the repository names the role', session, { resource: repository(to({ AWS: roleArn })) }, 'allowed app'],
    [
      '… and the boundary is silent',
      session,
      { resource: repository(to({ AWS: roleArn })), ...bounded },
      'no permissions boundary',
    ],
    [
      '… and the session policy is silent',
      session,
      { resource: repository(to({ AWS: roleArn })), ...limited },
      'no session policy',
    ],
    [
      '… and both allow',
      session,
      { resource: repository(to({ AWS: roleArn })), ...allowing },
      'allowed app limit limit',
    ],
    [
      'the repository names the session',
      session,
      { resource: repository(to({ AWS: sessionArn })), ...bounded, ...limited },
      'allowed app',
    ],
    [
      'the repository names another session',
      session,
      { resource: repository(to({ AWS: `${sessionArn}x` })) },
      'no identity-based policy',
    ],
    [
      'the repository denies the role',
      session,
      { identity: identity(allow), resource: repository(to({ AWS: roleArn }, deny)) },
      'denied by resource-based policy',
    ],
    ['root needs no policy', root, {}, 'allowed'],
    [
      'root is denied by the repository',
      root,
      { resource: repository(to('*', deny)) },
      'denied by resource-based policy',
    ],
    [
      'root is denied by its account',
      root,
      { resource: repository(to({ AWS: home }, deny)) },
      'denied by resource-based policy',
    ],
    ['a service is allowed', service, { resource: repository(to({ Service: 'lambda.amazonaws.com' })) }, 'allowed app'],
    [
      'another service is allowed',
      service,
      { resource: repository(to({ Service: 'events.amazonaws.com' })) },
      'no resource-based policy',
    ],
    [
      'the account is allowed, a service asks',
      service,
      { resource: repository(to({ AWS: home })) },
      'no resource-based policy',
    ],
  ]
  for (const [name, requester, policies, expected] of rows) {
    test(`${name}: ${expected}`, () => {
      assert.equal(wordOf(ask(requester, home, policies)), expected)
    })
  }
})

describe('across accounts', () => {
  const both = { identity: identity(allow), resource: repository(to({ AWS: home })) }
  const rows: Row[] = [
    ['neither side allows', user, {}, 'no resource-based policy'],
    ['the identity alone is allowed', user, { identity: identity(allow) }, 'no resource-based policy'],
    [
      'the repository alone allows to the user',
      user,
      { resource: repository(to({ AWS: userArn })) },
      'no identity-based policy',
    ],
    ['the repository alone allows to everybody', user, { resource: repository(to('*')) }, 'no identity-based policy'],
    ['both, by the account', user, both, 'allowed mine app'],
    ['both, by the user', user, { ...both, resource: repository(to({ AWS: userArn })) }, 'allowed mine app'],
    ['both, by everybody', user, { ...both, resource: repository(to('*')) }, 'allowed mine app'],
    [
      'the repository names its own account',
      user,
      { ...both, resource: repository(to({ AWS: away })) },
      'no resource-based policy',
    ],
    [
      'both, the repository denies as well',
      user,
      { ...both, resource: repository(to({ AWS: home }), to({ AWS: userArn }, deny)) },
      'denied by resource-based policy',
    ],
    [
      'both, the identity is denied as well',
      user,
      { ...both, identity: identity(allow, deny) },
      'denied by identity-based policy',
    ],
    ['both, the boundary is silent', user, { ...both, ...bounded }, 'no permissions boundary'],
    [
      'both, by the session, the limits silent',
      session,
      { ...both, resource: repository(to({ AWS: sessionArn })), ...limited },
      'no session policy',
    ],
    ['both, the limits allow', session, { ...both, ...allowing }, 'allowed mine app limit limit'],
    [
      'the repository alone allows to the role',
      session,
      { resource: repository(to({ AWS: roleArn })) },
      'no identity-based policy',
    ],
    ['root of another account', root, {}, 'no resource-based policy'],
    [
      'root of another account, whom the repository allows',
      root,
      { resource: repository(to({ AWS: home })) },
      'allowed app',
    ],
    ['root of another account, among everybody', root, { resource: repository(to('*')) }, 'allowed app'],
  ]
  for (const [name, requester, policies, expected] of rows) {
    test(`${name}: ${expected}`, () => {
      assert.equal(wordOf(ask(requester, away, policies)), expected)
    })
  }
})

describe('NotPrincipal', () => {
  const but = (AWS: string[], Effect: string) => ({ Effect, Action: 'ecr:*', NotPrincipal: { AWS } })
  const given = (requester: Requester, AWS: string[]) =>
    ask(requester, home, { identity: identity(allow), resource: repository(but(AWS, 'Deny')) }).allowed

  test('a denial spares whom it names with its account, and with its role', () => {
    assert.ok(given(user, [userArn, home]))
    assert.ok(!given(user, [userArn]))
    assert.ok(!given(user, [home]))
    assert.ok(given(root, [home]))
    assert.ok(given(session, [sessionArn, roleArn, home]))
    assert.ok(!given(session, [sessionArn, home]))
  })

  test('an allowance is for whom it names in no way', () => {
    const allowed = (requester: Requester, AWS: string[]) =>
      ask(requester, home, { resource: repository(but(AWS, 'Allow')) }).allowed
    assert.ok(allowed(user, [roleArn]))
    assert.ok(!allowed(user, [userArn]))
    assert.ok(!allowed(user, [home]))
    assert.ok(!allowed(session, [roleArn]))
    assert.ok(!allowed(user, ['*']))
  })
})

describe('actions and resources', () => {
  const may = (statement: Part, values: Record<string, string> = {}) =>
    ask(user, home, { identity: identity({ Effect: 'Allow', Action: '*', Resource: '*', ...statement }) }, values)
      .allowed
  const without = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]))

  test('actions are compared in any case, with wildcards, and NotAction is all but these', () => {
    for (const Action of [
      '*',
      '*:*',
      '*:Put*',
      'ecr:*',
      'ECR:putimage',
      'ecr:Put*',
      'ecr:?utImage',
      ['s3:*', 'ecr:PutImage'],
    ]) {
      assert.ok(may({ Action }), String(Action))
      assert.ok(!may({ ...without('Action'), NotAction: Action }), String(Action))
    }
    assert.ok(!may({ Action: ['ecr:PutImag', 'ecr:Put', 's3:*'] }))
    assert.ok(may({ ...without('Action'), NotAction: ['ecr:BatchDelete*'] }))
  })

  test('resources are compared by component, and NotResource is all but these', () => {
    const own = `arn:aws:ecr:*:${home}:repository/team/*`
    assert.ok(may({ Resource: own }))
    assert.ok(!may({ ...without('Resource'), NotResource: own }))
    assert.ok(!may({ Resource: own.replace('team', 'other') }))
    assert.ok(may({ ...without('Resource'), NotResource: own.replace('team', 'other') }))
    assert.ok(!may({ ...without('Resource'), NotResource: '*' }))
  })

  test('an action without a resource is covered by * alone', () => {
    const may = (Resource: string) => {
      const request = { requester: user, action: 'ecr:GetAuthorizationToken', resource: '*', owner: home }
      const policies = { identity: identity({ ...allow, Resource }), resource: [] }
      return evaluate({ ...request, context: requestContext([]) }, policies).allowed
    }
    assert.ok(may('*'))
    assert.ok(!may('arn:aws:ecr:*:*:*'))
  })

  test('a variable is the value of the request; where it has none no resource is meant', () => {
    const pattern = `arn:aws:ecr:*:*:repository/\${aws:PrincipalTag/team}/*`
    assert.ok(may({ Resource: pattern }, { 'aws:PrincipalTag/team': 'team' }))
    assert.ok(!may({ Resource: pattern }, { 'aws:PrincipalTag/team': 'other' }))
    assert.ok(!may({ Resource: pattern }))
    const except = { ...without('Resource'), NotResource: pattern }
    assert.ok(may(except, { 'aws:PrincipalTag/team': 'other' }))
    assert.ok(!may(except, { 'aws:PrincipalTag/team': 'team' }))
    assert.ok(may(except))
  })

  test('who has no team is kept out where the teams must be the same', () => {
    const Condition = { StringNotEquals: { 'ecr:ResourceTag/team': '${aws:PrincipalTag/team}' } }
    const kept = { identity: identity(allow, { ...deny, Condition }) }
    assert.ok(ask(user, home, kept, { 'ecr:ResourceTag/team': 'a', 'aws:PrincipalTag/team': 'a' }).allowed)
    assert.equal(wordOf(ask(user, home, kept, { 'ecr:ResourceTag/team': 'a' })), 'denied by identity-based policy')
  })

  test('a condition decides whether a statement is asked at all', () => {
    const Condition = { StringEquals: { 'ecr:ResourceTag/stage': 'dev' } }
    assert.ok(may({ Condition }, { 'ecr:ResourceTag/stage': 'dev' }))
    assert.ok(!may({ Condition }, { 'ecr:ResourceTag/stage': 'prod' }))
    assert.ok(!may({ Condition }))
  })
})

describe('the policy of a role', () => {
  const trust = (Principal: unknown) => [
    policy('trust', 'trust', {
      Effect: 'Allow',
      Principal,
      Action: ['sts:AssumeRole', 'sts:AssumeRoleWithWebIdentity'],
    }),
  ]
  const assume = (requester: Requester, resource: Policy[], statements: Part[] = []) => {
    const request = { requester, action: 'sts:AssumeRole', resource: roleArn, owner: home, context: requestContext([]) }
    const policies = {
      identity: statements.length > 0 ? identity(...statements) : [],
      resource,
      resourceMustAllow: true,
    }
    return wordOf(evaluate(request, policies))
  }
  const all = { Effect: 'Allow', Action: '*', Resource: '*' }

  test('it must allow, whatever the identity is allowed', () => {
    assert.equal(assume(user, trust(everybodyElse), [all]), 'no resource-based policy')
    assert.equal(assume(user, trust({ AWS: userArn })), 'allowed trust')
    assert.equal(assume(user, trust({ AWS: home })), 'no identity-based policy')
    assert.equal(assume(user, trust({ AWS: home }), [all]), 'allowed mine trust')
    assert.equal(assume(root, trust({ AWS: away })), 'no resource-based policy')
  })

  test('it is all that somebody from an identity provider needs', () => {
    const provider = `arn:aws:iam::${home}:oidc-provider/token.actions.githubusercontent.com`
    assert.equal(assume({ kind: 'federated', provider }, trust({ Federated: provider })), 'allowed trust')
    assert.equal(assume({ kind: 'federated', provider }, trust({ AWS: rootArn(home) })), 'no resource-based policy')
    assert.equal(
      assume({ kind: 'federated', provider: `${provider}x` }, trust({ Federated: provider })),
      'no resource-based policy',
    )
  })
})

describe('what a verdict cites', () => {
  const type = 'identity-based policy'

  test('the statement that denies, by policy, place and name', () => {
    const [first] = identity(allow)
    const second = policy('identity', 'second', allow, { ...deny, Sid: 'NoPushes' })
    assert.deepEqual(ask(user, home, { identity: first ? [first, second] : [] }), {
      ...{ allowed: false, reason: 'explicit deny', type },
      statement: { type, policy: 'second', index: 1, sid: 'NoPushes' },
    })
  })

  test('the statement that allows', () => {
    assert.deepEqual(ask(user, home, { identity: identity(nothing, { ...allow, Sid: 'Pushes' }) }), {
      allowed: true,
      statements: [{ type, policy: 'mine', index: 1, sid: 'Pushes' }],
    })
  })

  test('the type of policy that is missing', () => {
    assert.deepEqual(ask(user, home, {}), { allowed: false, reason: 'no allow', type })
  })
})
