/** What holds of evaluation whatever the policies, and that a second, plainer evaluation agrees on thousands of cases. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compilePolicy, type Policy } from '#iam/policy/compile.ts'
import { requestContext } from '#iam/policy/context.ts'
import { type PolicyKind, parsePolicy } from '#iam/policy/document.ts'
import { evaluate, type Policies, type Request } from '#iam/policy/evaluate.ts'
import type { Requester } from '#iam/policy/principals.ts'
import { Steps } from '#lib/steps.ts'
import { parseAccountId } from '#names/account.ts'
import { evaluateNaively, type JsonPolicies, type JsonStatement } from './naive.ts'

const accounts = ['111111111111', '222222222222'].map(parseAccountId)
const account = fc.constantFrom(...accounts)
const name = fc.constantFrom('a', 'b')

const known: fc.Arbitrary<Requester> = fc.oneof(
  account.map((account): Requester => ({ kind: 'root', account })),
  fc
    .tuple(account, name)
    .map(([account, name]): Requester => ({ kind: 'user', account, arn: `arn:aws:iam::${account}:user/${name}` })),
  fc.tuple(account, name, name).map(
    ([account, role, session]): Requester => ({
      ...{ kind: 'session', account, roleArn: `arn:aws:iam::${account}:role/path/${role}` },
      arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
    }),
  ),
)

const requester: fc.Arbitrary<Requester> = fc.oneof(
  { weight: 7, arbitrary: known },
  { weight: 1, arbitrary: fc.constant({ kind: 'anonymous' }) },
)

const principal = fc.oneof(
  account,
  fc
    .tuple(fc.constantFrom('root', 'user/a', 'user/b', 'role/path/a'), account)
    .map(([name, account]) => `arn:aws:iam::${account}:${name}`),
  account.map((account) => `arn:aws:sts::${account}:assumed-role/a/a`),
)
/** The accounts by their roots, as the plainer evaluation expects them. */
const principals = fc.array(
  principal.map((name) => (/^\d+$/.test(name) ? `arn:aws:iam::${name}:root` : name)),
  { minLength: 1, maxLength: 4 },
)

const request: fc.Arbitrary<Request> = fc.record({
  requester,
  owner: account,
  action: fc.constantFrom('ecr:PutImage', 'ecr:BatchGetImage', 'ecr:BatchDeleteImage'),
  resource: fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(account, name, name)
        .map(([account, one, two]) => `arn:aws:ecr:r:${account}:repository/${one}/${two}`),
    },
    { weight: 1, arbitrary: fc.constant('*') },
  ),
  context: fc
    .record(
      {
        'aws:username': name,
        'aws:TagKeys': fc.array(fc.constantFrom('x', 'y', 'xy'), { maxLength: 3 }),
        'ecr:ResourceTag/k': fc.constantFrom('x', 'y', 'xy'),
      },
      { requiredKeys: [] },
    )
    .map((values) => requestContext(Object.entries(values).filter((entry) => entry[1] !== undefined))),
})

const listOf = (...patterns: string[]) => fc.array(fc.constantFrom(...patterns), { minLength: 1, maxLength: 3 })
const actions = listOf('*', 'ecr:*', 'ecr:Put*', 'ECR:batch???image', 'ecr:BatchGetImage', 's3:*')
const resources = listOf(
  ...['*', 'arn:aws:ecr:*:*:*', 'arn:aws:ecr:*:111111111111:repository/a/*', 'arn:aws:ecr:r:*:repository/?/b'],
  ...['arn:aws:ecr:*:*:repository/${aws:username}/*', 'arn:aws:ecr', 'arn:aws:ecr:*:repository/a/a'],
)
const condition = fc.oneof(
  fc.record({
    operator: fc.constantFrom(
      ...['StringEquals', 'StringNotEquals', 'StringLikeIfExists', 'StringNotLike'],
      ...['ForAllValues:StringLike', 'ForAnyValue:StringEquals', 'ForAnyValue:StringNotEquals'],
    ),
    key: fc.constantFrom('aws:TagKeys', 'aws:tagkeys', 'ecr:ResourceTag/k'),
    values: fc.array(fc.constantFrom('x', 'y', 'x*', '?'), { maxLength: 2 }),
  }),
  fc.record({
    operator: fc.constant('Null'),
    key: fc.constantFrom('aws:TagKeys', 'ecr:ResourceTag/k'),
    values: listOf('true', 'false'),
  }),
)

function statement(inResource: boolean, effect: fc.Arbitrary<'Allow' | 'Deny'>): fc.Arbitrary<JsonStatement> {
  const named = fc.oneof(
    fc.constant<Partial<JsonStatement>>({ Principal: '*' }),
    principals.map((AWS): Partial<JsonStatement> => ({ Principal: { AWS } })),
    principals.map((AWS): Partial<JsonStatement> => ({ NotPrincipal: { AWS } })),
  )
  return fc
    .record({
      effect,
      named: inResource ? named : fc.constant({}),
      action: fc.oneof(
        { weight: 4, arbitrary: actions.map((Action) => ({ Action })) },
        actions.map((NotAction) => ({ NotAction })),
      ),
      resource: fc.oneof(
        { weight: 4, arbitrary: resources.map((Resource) => ({ Resource })) },
        resources.map((NotResource) => ({ NotResource })),
      ),
      conditions: fc.array(condition, { maxLength: 1 }),
    })
    .map(({ effect, named, action, resource, conditions }) => ({
      ...{ Effect: effect, ...named, ...action, ...resource },
      ...(conditions.length > 0 && {
        Condition: Object.fromEntries(conditions.map(({ operator, key, values }) => [operator, { [key]: values }])),
      }),
    }))
}

/** Mostly allowances, so that most cases are not settled by the first denial. */
const effect = fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Allow', 'Allow', 'Allow', 'Deny')
const policyOf = (inResource: boolean) => fc.array(statement(inResource, effect), { minLength: 1, maxLength: 3 })
const policies: fc.Arbitrary<JsonPolicies> = fc.record({
  identity: fc.array(policyOf(false), { maxLength: 3 }),
  resource: fc.array(policyOf(true), { maxLength: 2 }),
  boundary: fc.option(policyOf(false), { nil: undefined }),
  session: fc.array(policyOf(false), { maxLength: 2 }),
})

function compile(kind: PolicyKind, statements: readonly JsonStatement[]): Policy {
  return compilePolicy('policy', parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), kind))
}

function compileAll({ identity, resource, boundary, session }: JsonPolicies): Policies {
  return {
    identity: identity.map((statements) => compile('identity', statements)),
    resource: resource.map((statements) => compile('repository', statements.map(withoutOthers))),
    boundary: boundary && compile('identity', boundary),
    session: session.map((statements) => compile('identity', statements)),
  }
}

/** A repository's policy has no actions of other services. */
function withoutOthers(statement: JsonStatement): JsonStatement {
  const ours = (list: readonly string[] | undefined) => list?.map((action) => (action === 's3:*' ? 'ecr:None' : action))
  const { Action, NotAction, ...rest } = statement
  return {
    ...rest,
    ...(Action && { Action: ours(Action) ?? [] }),
    ...(NotAction && { NotAction: ours(NotAction) ?? [] }),
  }
}

const isAllowed = (request: Request, policies: JsonPolicies) => evaluate(request, compileAll(policies)).allowed
/** Where one more statement goes: any policy that is there. */
const place = fc.record({ type: fc.constantFrom('identity', 'resource', 'boundary', 'session'), at: fc.nat(9) })

function withStatement(
  policies: JsonPolicies,
  { type, at }: { type: string; at: number },
  added: { own: JsonStatement; named: JsonStatement },
): JsonPolicies {
  const into = (list: readonly (readonly JsonStatement[])[], statement: JsonStatement) =>
    list.map((statements, index) => (index === at % list.length ? [...statements, statement] : statements))
  const { identity, resource, boundary, session } = policies
  return {
    identity: type === 'identity' ? into(identity, added.own) : identity,
    resource: type === 'resource' ? into(resource, added.named) : resource,
    boundary: type === 'boundary' && boundary ? [...boundary, added.own] : boundary,
    session: type === 'session' ? into(session, added.own) : session,
  }
}

const added = (effect: 'Allow' | 'Deny') =>
  fc.record({ own: statement(false, fc.constant(effect)), named: statement(true, fc.constant(effect)) })

describe('policy evaluation, whatever the policies', () => {
  test('a second, plainer evaluation agrees, on the verdict and on its reason', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(request, policies, (request, policies) => {
        const verdict = evaluate(request, compileAll(policies))
        const reason = verdict.allowed ? 'allowed' : verdict.reason === 'explicit deny' ? verdict.reason : verdict.type
        seen.add(reason)
        assert.equal(reason, evaluateNaively(request, policies))
      }),
      { numRuns: 5_000 },
    )
    assert.equal(seen.size, 6, [...seen].join())
  })

  test('with few steps the verdict is the same, or a denial', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(request, policies, fc.nat(30), (request, policies, limit) => {
        const compiled = compileAll(policies)
        const hurried = evaluate(request, compiled, new Steps(limit))
        const patient = evaluate(request, compiled)
        const reason = hurried.allowed ? 'allowed' : hurried.reason
        seen.add(reason)
        if (reason === 'allowed' || reason === 'no allow') assert.deepEqual(hurried, patient)
        if (reason === 'explicit deny') assert.equal(!patient.allowed && patient.reason, reason)
      }),
      { numRuns: 2_000 },
    )
    assert.equal(seen.size, 4, [...seen].join())
  })

  test('without an Allow nobody but root within its account is allowed anything', () => {
    const denials = (inResource: boolean) =>
      fc.array(fc.array(statement(inResource, fc.constant('Deny')), { minLength: 1, maxLength: 2 }), { maxLength: 2 })
    const none = fc.record({
      identity: denials(false),
      resource: denials(true),
      boundary: fc.constant(undefined),
      session: fc.constant([]),
    })
    fc.assert(
      fc.property(request, none, (request, policies) => {
        const { requester, owner } = request
        fc.pre(requester.kind !== 'root' || requester.account !== owner)
        assert.equal(isAllowed(request, policies), false)
      }),
    )
  })

  test('a Deny of everything wins over all else, wherever it stands', () => {
    const own: JsonStatement = { Effect: 'Deny', Action: ['*'], Resource: ['*'] }
    const everything = { own, named: { ...own, Principal: '*' } as const }
    fc.assert(
      fc.property(request, policies, place, (request, policies, place) => {
        const denied = withStatement(policies, place, everything)
        fc.pre(JSON.stringify(denied) !== JSON.stringify(policies))
        const verdict = evaluate(request, compileAll(denied))
        assert.equal(!verdict.allowed && verdict.reason, 'explicit deny')
      }),
    )
  })

  test('one more Allow takes nothing away, one more Deny gives nothing', () => {
    fc.assert(
      fc.property(request, policies, place, added('Allow'), added('Deny'), (request, policies, place, allow, deny) => {
        const before = isAllowed(request, policies)
        if (before) assert.ok(isAllowed(request, withStatement(policies, place, allow)))
        else assert.ok(!isAllowed(request, withStatement(policies, place, deny)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('the order of statements and of policies never matters', () => {
    const turn = <T>(list: readonly T[]) => list.toReversed()
    fc.assert(
      fc.property(request, policies, (request, policies) => {
        const { identity, resource, boundary, session } = policies
        const turned = {
          ...{ identity: turn(identity.map(turn)), resource: turn(resource.map(turn)) },
          ...{ boundary: boundary && turn(boundary), session: turn(session.map(turn)) },
        }
        const [one, other] = [policies, turned].map((each) => evaluate(request, compileAll(each)))
        assert.equal(other?.allowed, one?.allowed)
        if (one?.allowed === false) assert.deepEqual({ ...other, statement: 0 }, { ...one, statement: 0 })
      }),
      { numRuns: 1_000 },
    )
  })
})
