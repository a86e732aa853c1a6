/**
 * An independent implementation of policy evaluation, `@cloud-copilot/iam-simulate`, gives the same verdicts on thousands of made-up
 * cases. It is under the AGPL, a tool of development alone: nothing in `src` may import it. Where the two disagree on purpose, the
 * list below says which document of AWS decides.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate'
import fc from 'fast-check'
import { compilePolicy } from '#iam/policy/compile.ts'
import { requestContext } from '#iam/policy/context.ts'
import { type PolicyKind, parsePolicy } from '#iam/policy/document.ts'
import { evaluate } from '#iam/policy/evaluate.ts'
import type { Requester } from '#iam/policy/principals.ts'
import { type AccountId, parseAccountId } from '#names/account.ts'
import manifest from '../../../../package.json' with { type: 'json' }

const simulator = '@cloud-copilot/iam-simulate'

interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  readonly [element: string]: unknown
}

interface Case {
  readonly requester: Requester
  readonly owner: AccountId
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string | string[]>>
  readonly identity: readonly (readonly Statement[])[]
  readonly resourcePolicy: readonly Statement[] | undefined
  readonly boundary: readonly Statement[] | undefined
  readonly session: readonly Statement[] | undefined
}

const accounts = ['111111111111', '222222222222'].map(parseAccountId)
const account = fc.constantFrom(...accounts)
const name = fc.constantFrom('a', 'b')

const requester: fc.Arbitrary<Requester> = fc.oneof(
  fc
    .tuple(account, name)
    .map(([account, name]): Requester => ({ kind: 'user', account, arn: `arn:aws:iam::${account}:user/${name}` })),
  fc.tuple(account, name, name).map(
    ([account, role, session]): Requester => ({
      ...{ kind: 'session', account, roleArn: `arn:aws:iam::${account}:role/${role}` },
      arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
    }),
  ),
)

const principals = fc.oneof(
  fc.constant<unknown>('*'),
  fc
    .array(
      fc.oneof(
        account,
        fc
          .tuple(fc.constantFrom('iam::%:root', 'iam::%:user/a', 'iam::%:role/a', 'sts::%:assumed-role/a/a'), account)
          .map(([name, account]) => `arn:aws:${name.replace('%', account)}`),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((AWS) => ({ AWS })),
)

/** Keys that the actions take, by the type of their values. */
const keys = {
  text: ['ecr:ResourceTag/k', 'aws:PrincipalTag/k', 'aws:username'],
  texts: ['aws:PrincipalOrgPaths', 'aws:CalledVia'],
  number: ['aws:MultiFactorAuthAge'],
  date: ['aws:CurrentTime'],
  bool: ['aws:SecureTransport'],
  address: ['aws:SourceIp'],
  arn: ['aws:PrincipalArn'],
} as const

type Kind = keyof typeof keys

const requested: Record<Kind, fc.Arbitrary<string>> = {
  text: fc.constantFrom('x', 'X', 'y', 'xy', 'x*'),
  texts: fc.constantFrom('x', 'y', 'xy'),
  number: fc.constantFrom('5', '10', '10.5'),
  date: fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01T12:00:00Z'),
  bool: fc.constantFrom('true', 'false'),
  address: fc.constantFrom('10.1.2.3', '192.0.2.7', '2001:db8::1'),
  arn: fc.constantFrom('arn:aws:iam::111111111111:user/a', 'arn:aws:iam::222222222222:role/path/b'),
}

const given: Record<Kind, fc.Arbitrary<string>> = {
  text: fc.constantFrom(
    'x',
    'y',
    'X*',
    '*',
    '?',
    '${aws:username}',
    '${aws:username}?',
    '${*}',
    "${aws:PrincipalTag/k, 'x'}",
  ),
  texts: fc.constantFrom('x', 'y', 'x*', '*'),
  number: fc.constantFrom('5', '10', '10.5', '11'),
  date: fc.constantFrom('2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'),
  bool: fc.constantFrom('true', 'false'),
  address: fc.constantFrom('10.0.0.0/8', '192.0.2.7', '192.0.2.7/32', '2001:db8::/32', '0.0.0.0/0'),
  arn: fc.constantFrom(
    ...['arn:aws:iam::111111111111:user/a', 'arn:aws:iam::*:user/*', 'arn:aws:iam::222222222222:role/*'],
    ...['arn:*:*:*:*:*', 'arn:aws:iam::111111111111:user/?'],
  ),
}

const stringOperators = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase']
const comparisons = ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals']
const operators: Record<Kind, readonly string[]> = {
  text: [...stringOperators, 'StringNotEqualsIgnoreCase'],
  texts: ['ForAllValues', 'ForAnyValue'].flatMap((set) => stringOperators.map((operator) => `${set}:${operator}`)),
  number: comparisons.map((comparison) => `Numeric${comparison}`),
  date: comparisons.map((comparison) => `Date${comparison}`),
  bool: ['Bool'],
  address: ['IpAddress', 'NotIpAddress'],
  arn: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
}

// The kinds of `keys` are its type's keys.
const kinds = Object.keys(keys) as Kind[]

const condition: fc.Arbitrary<NonNullable<Statement['Condition']>> = fc
  .record({ kind: fc.constantFrom(...kinds), presence: fc.constantFrom('', '', '', 'IfExists', 'Null') })
  .chain(({ kind, presence }) => {
    const key = fc.constantFrom(...keys[kind])
    if (presence === 'Null') {
      return fc.tuple(key, fc.constantFrom('true', 'false')).map(([key, value]) => ({ Null: { [key]: [value] } }))
    }
    return fc
      .tuple(fc.constantFrom(...operators[kind]), key, fc.array(given[kind], { minLength: 1, maxLength: 2 }))
      .map(([operator, key, values]) => ({ [operator + presence]: { [key]: values } }))
  })

const listOf = (...patterns: string[]) => fc.array(fc.constantFrom(...patterns), { minLength: 1, maxLength: 3 })
const actions = listOf('*', 'ecr:*', 'ecr:Put*', 'ecr:batch???image', 'ecr:BatchGetImage', 'ecr:Describe*')
const resources = listOf(
  ...['*', 'arn:aws:ecr:*:*:*', 'arn:aws:ecr:*:111111111111:repository/a/*', 'arn:aws:ecr:*:*:repository/?/b'],
  ...['arn:aws:ecr:us-east-1:*:repository/${aws:username}/*', 'arn:aws:ecr:us-east-1:222222222222:repository/b*'],
)

function statement(inResource: boolean): fc.Arbitrary<Statement> {
  return fc
    .record({
      Effect: fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Allow', 'Allow', 'Allow', 'Deny'),
      named: inResource
        ? fc.oneof(
            { weight: 4, arbitrary: principals.map((Principal) => ({ Principal })) },
            principals.map((NotPrincipal) => ({ NotPrincipal })),
          )
        : fc.constant({}),
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
    .map(({ Effect, named, action, resource, conditions: [Condition] }) => ({
      ...{ Effect, ...named, ...action, ...resource },
      ...(Condition && { Condition }),
    }))
}

const policy = (inResource = false) => fc.array(statement(inResource), { minLength: 1, maxLength: 3 })

const context: fc.Arbitrary<Case['context']> = fc
  .tuple(
    ...kinds.flatMap((kind) =>
      keys[kind].map((key) => {
        const value: fc.Arbitrary<string | string[]> =
          kind === 'texts' ? fc.array(requested[kind], { minLength: 1, maxLength: 3 }) : requested[kind]
        return fc.option(value, { freq: 3 }).map((value) => (value === null ? [] : [[key, value] as const]))
      }),
    ),
  )
  .map((entries) => Object.fromEntries(entries.flat()))

const cases: fc.Arbitrary<Case> = fc
  .record({
    requester,
    owner: account,
    action: fc.constantFrom('ecr:PutImage', 'ecr:BatchGetImage', 'ecr:DescribeImages', 'ecr:DescribeRegistry'),
    repository: fc.tuple(name, name).map((names) => names.join('/')),
    context,
    identity: fc.array(policy(), { maxLength: 2 }),
    resourcePolicy: fc.option(policy(true), { nil: undefined }),
    boundary: fc.option(policy(), { nil: undefined, freq: 3 }),
    session: fc.option(policy(), { nil: undefined, freq: 3 }),
  })
  .map(({ repository, session, context, ...rest }) => {
    const ofRegistry = rest.action === 'ecr:DescribeRegistry'
    const { 'ecr:ResourceTag/k': tag, ...others } = context
    return {
      ...rest,
      // What is no repository has no tags.
      context: ofRegistry ? others : context,
      resource: ofRegistry ? '*' : `arn:aws:ecr:us-east-1:${rest.owner}:repository/${repository}`,
      session: rest.requester.kind === 'session' ? session : undefined,
    }
  })

const documentOf = (Statement: readonly Statement[]) => ({ Version: '2012-10-17', Statement })

type Verdict = 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied'

function ours({ requester, owner, action, resource, context, ...policies }: Case): Verdict {
  const compile = (statements: readonly Statement[], kind: PolicyKind) =>
    compilePolicy('policy', parsePolicy(JSON.stringify(documentOf(statements)), kind))
  const { identity, resourcePolicy, boundary, session } = policies
  const verdict = evaluate(
    { requester, owner, action, resource, context: requestContext(Object.entries(context)) },
    {
      identity: identity.map((statements) => compile(statements, 'identity')),
      resource: resourcePolicy === undefined ? [] : [compile(resourcePolicy, 'registry')],
      boundary: boundary && compile(boundary, 'identity'),
      session: session === undefined ? [] : [compile(session, 'identity')],
    },
  )
  if (verdict.allowed) return 'Allowed'
  return verdict.reason === 'explicit deny' ? 'ExplicitlyDenied' : 'ImplicitlyDenied'
}

async function theirs({ requester, owner, action, resource, context, ...policies }: Case): Promise<Verdict> {
  assert.ok(requester.kind === 'user' || requester.kind === 'session')
  const { identity, resourcePolicy, boundary, session } = policies
  const simulation: Simulation = {
    request: { principal: requester.arn, action, resource: { resource, accountId: owner }, contextVariables: context },
    identityPolicies: identity.map((statements, index) => ({ name: `p${index}`, policy: documentOf(statements) })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy && { resourcePolicy: documentOf(resourcePolicy) }),
    ...(boundary && { permissionBoundaryPolicies: [{ name: 'boundary', policy: documentOf(boundary) }] }),
    ...(session && { sessionPolicy: documentOf(session) }),
  }
  const outcome = await runSimulation(simulation, {})
  if (outcome.resultType === 'error') throw new Error(JSON.stringify(outcome.errors))
  return outcome.overallResult as Verdict
}

interface Disagreement {
  readonly reason: string
  /** The page of AWS that says what is right, or the rule that the other breaks. */
  readonly decidedBy: string
  readonly applies: (each: Case) => boolean
}

const statementsOf = ({ identity, resourcePolicy = [], boundary = [], session = [] }: Case) =>
  [...identity, resourcePolicy, boundary, session].flat()

/** Every value of every condition, with its operator. */
function comparedIn(each: Case): { operator: string; value: string }[] {
  return statementsOf(each).flatMap(({ Condition = {} }) =>
    Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.values(keys).flatMap((values) => values.map((value) => ({ operator, value }))),
    ),
  )
}

const nameless = ({ context }: Case) => !Object.hasOwn(context, 'aws:username')
const isIpv6 = (text: string) => text.includes(':')

const knownDisagreements: readonly Disagreement[] = [
  {
    reason: 'a session that the resource names itself, or with everybody, is not limited by its session policy',
    decidedBy: 'IAM user guide, "AWS JSON policy elements: Principal", role session principals and IAM role principals',
    applies: ({ session, resourcePolicy = [] }) =>
      session !== undefined &&
      resourcePolicy.some(
        ({ Effect, Principal, NotPrincipal }) =>
          Effect === 'Allow' &&
          (Principal === '*' || NotPrincipal !== undefined || JSON.stringify(Principal).includes(':sts:')),
      ),
  },
  {
    reason:
      'a denial spares only whom NotPrincipal names with role and account, and nobody is denied where it names everybody',
    decidedBy: 'IAM user guide, "AWS JSON policy elements: NotPrincipal", specifying NotPrincipal with Deny',
    applies: ({ resourcePolicy = [] }) =>
      resourcePolicy.some(({ Effect, NotPrincipal }) => Effect === 'Deny' && NotPrincipal !== undefined),
  },
  {
    reason: 'a pattern of NotResource whose variable has no value excepts nothing, whatever stands beside it',
    decidedBy: 'IAM user guide, "IAM policy elements: Variables and tags", policy variables with no value',
    applies: (each) =>
      nameless(each) && statementsOf(each).some(({ NotResource }) => JSON.stringify(NotResource ?? []).includes('${')),
  },
  {
    reason: 'a variable without a value is unlike every value, so that what asks for inequality holds',
    decidedBy: 'IAM user guide, "IAM policy elements: Variables and tags", policy variables with no value',
    applies: (each) =>
      nameless(each) &&
      comparedIn(each).some(({ operator, value }) => operator.includes('Not') && value.includes('aws:username')),
  },
  {
    reason: '0.0.0.0/0 holds every IPv4 address',
    decidedBy: 'RFC 4632 section 3.1; the other shifts by 32, which is no shift',
    applies: (each) => comparedIn(each).some(({ value }) => value.endsWith('/0')),
  },
  {
    reason: 'an IPv6 address is in no range of IPv4 ones, and the other way round',
    decidedBy: 'IAM user guide, "IAM JSON policy elements: Condition operators", IP address condition operators',
    applies: (each) =>
      comparedIn(each).some(
        ({ operator, value }) =>
          operator.startsWith('NotIpAddress') && isIpv6(value) !== isIpv6(String(each.context['aws:SourceIp'] ?? '')),
      ),
  },
]

/** The same cases each time: what is new is found by changing the seed on purpose, not by a build that fails by chance. */
const drawn = { seed: 1, numRuns: 8_000 }

describe('policy evaluation and an independent implementation of it', () => {
  test('meet in tests alone: nothing that is shipped imports the other', async () => {
    const { dependencies, devDependencies } = manifest
    assert.equal(Object.hasOwn(dependencies, simulator), false)
    assert.ok(Object.hasOwn(devDependencies, simulator))
    for await (const file of glob(['src/**/*.ts', 'bin/*.js'])) {
      assert.doesNotMatch(await readFile(file, 'utf8'), /@cloud-copilot\//, file)
    }
  })

  test('agree on thousands of cases, but for the known disagreements', async () => {
    const agreed = new Map<Verdict, number>()
    const disagreed = new Set<Disagreement>()
    for (const each of fc.sample(cases, drawn)) {
      const [verdict, other] = [ours(each), await theirs(each)]
      const known = knownDisagreements.filter(({ applies }) => applies(each))
      if (known.length === 0) {
        assert.equal(verdict, other, JSON.stringify(each, undefined, 1))
        agreed.set(verdict, (agreed.get(verdict) ?? 0) + 1)
      } else if (known.length === 1 && verdict !== other) for (const one of known) disagreed.add(one)
    }
    for (const verdict of ['Allowed', 'ExplicitlyDenied', 'ImplicitlyDenied'] as const) {
      assert.ok((agreed.get(verdict) ?? 0) > drawn.numRuns / 20, `${verdict}: ${agreed.get(verdict)} times`)
    }
    const unseen = knownDisagreements.filter((each) => !disagreed.has(each)).map(({ reason }) => reason)
    assert.deepEqual(unseen, [], 'a disagreement that is not seen any more is to be struck off the list')
  })
})
