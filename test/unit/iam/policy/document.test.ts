/** The grammar of policy documents: what is taken, in which shape, and what is refused, where and why. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type PolicyKind, parsePolicy } from '#iam/policy/document.ts'
import type { PolicyProblem } from '#iam/policy/refusals.ts'
import type { Refusal } from '#lib/refusal.ts'

const allow = { Effect: 'Allow', Action: 'ecr:PutImage', Resource: '*' }
const open = { Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' }
const trusting = { Effect: 'Allow', Principal: { AWS: '111111111111' }, Action: 'sts:AssumeRole' }

const documentOf = (...statements: unknown[]) => ({ Version: '2012-10-17', Statement: statements })
const parse = (document: unknown, kind: PolicyKind) =>
  parsePolicy(typeof document === 'string' ? document : JSON.stringify(document), kind)
const when = (conditions: unknown) => documentOf({ ...allow, Condition: conditions })

/** What is refused: kind, document, problem, place, the text that stands there. */
type RefusedCase = [PolicyKind, unknown, PolicyProblem, string, string?]

describe('policy documents that are taken', () => {
  const taken: [PolicyKind, unknown][] = [
    ['identity', documentOf(allow)],
    ['identity', { Version: '2008-10-17', Id: 'mine', Statement: allow }],
    ['identity', { Statement: [allow] }],
    [
      'identity',
      documentOf({ ...allow, Sid: 'One1' }, { ...allow, Sid: 'two' }, { ...allow, Sid: '' }, { ...allow, Sid: '' }),
    ],
    [
      'identity',
      documentOf({ Effect: 'Deny', NotAction: ['ecr:*', 'sts:Get?aller*'], NotResource: ['arn:aws:ecr:*:*:*'] }),
    ],
    ['identity', documentOf({ ...allow, Action: '*' })],
    ['identity', documentOf({ ...allow, Action: ['prefix-a:action-name', 'a.b:List_It', 'iam: a b ', 'ecr:a.b?*'] })],
    ['identity', when({ StringEquals: { username: 'x' }, 'ForAnyValue:StringLikeIfExists': { a: [] } })],
    ['identity', when({ StringSame: {}, x: {} })],
    ['identity', documentOf({ ...allow, Resource: ['arn:aws:ecr:*:*:repository/${aws:username}/*', 'arn:aws:s3'] })],
    ['identity', { Version: '2008-10-17', Statement: { ...allow, Resource: 'arn:aws:ecr:${no:variable}:${' } }],
    ['identity', when({ StringEquals: { 'aws:PrincipalTag/cost center': [] } })],
    ['identity', when({ 'ForAnyValue:StringLikeIfExists': { 'aws:TagKeys': ['a*', '${aws:username}'] } })],
    ['identity', when({ 'foranyvalue:stringequals': { 'aws:tagkeys': 'x' }, NumericLessThan: { 'x:y': 5 } })],
    ['identity', when({ Bool: { 'aws:SecureTransport': true }, Null: { 'aws:TokenIssueTime': 'true' } })],
    [
      'identity',
      when({ IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '2001:DB8:1234:5678::/64', '10.1.2.3', '::/0'] } }),
    ],
    [
      'identity',
      when({ DateLessThan: { 'aws:CurrentTime': ['2026', '2026-02', '2026-02-28', '2026-02-28T10:00Z', 1e9] } }),
    ],
    ['identity', when({ BinaryEquals: { 'x:y': 'QmluYXJ5' }, ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::*' } })],
    [
      'repository',
      documentOf({ ...open, Sid: 'a name, with blanks & more' }, { ...open, Sid: 'a name, with blanks & more' }),
    ],
    ['repository', documentOf({ ...open, Principal: undefined, NotPrincipal: { AWS: '*' }, Resource: '*' })],
    ['repository', documentOf({ ...open, Action: ['ecr:*', 'ECR:Get*'] }, { ...open, Action: '*' })],
    ['registry', documentOf({ ...open, Resource: 'arn:aws:ecr:us-east-1:111111111111:repository/prod/*' })],
    ['registry V1', documentOf({ ...open, Action: ['ecr:ReplicateImage', 'ecr:CREATEREPOSITORY'], Resource: '*' })],
    ['trust', documentOf(trusting, { ...trusting, Principal: { Service: ['lambda.amazonaws.com'] } })],
    ['trust', documentOf({ ...trusting, Principal: { Federated: 'token.actions.githubusercontent.com' } })],
    ['trust', documentOf({ ...trusting, Condition: { StringEquals: { 'oidc.example.com/id/1:sub': 'x' } } })],
  ]
  for (const [kind, document] of taken) {
    test(`${kind}: ${JSON.stringify(document)}`, () => {
      parse(document, kind)
    })
  }

  test('they get one shape, whichever way they were written', () => {
    const sparse = parse(
      { Statement: { ...open, Action: 'ecr:*', Condition: { bool: { 'AWS:SecureTransport': false } } } },
      'repository',
    )
    const condition = {
      operator: 'Bool',
      set: undefined,
      ifExists: false,
      key: 'aws:securetransport',
      values: ['false'],
    }
    assert.deepEqual(sparse, {
      version: '2008-10-17',
      id: undefined,
      statements: [
        {
          sid: undefined,
          effect: 'Allow',
          principals: { negated: false, everybody: true, names: [] },
          actions: { negated: false, patterns: ['ecr:*'] },
          resources: undefined,
          conditions: [condition],
        },
      ],
    })
    const listed = parse(
      {
        Statement: [
          {
            ...open,
            Principal: { AWS: ['*'] },
            Action: ['ecr:*'],
            Condition: { Bool: { 'aws:SecureTransport': ['false'] } },
          },
        ],
      },
      'repository',
    )
    assert.deepEqual(listed, sparse)
  })

  test('an account is named by its root, however it was written', () => {
    const names = (...AWS: string[]) =>
      parse(documentOf({ ...trusting, Principal: { AWS } }), 'trust').statements[0]?.principals?.names
    assert.deepEqual(names('111111111111'), names('arn:aws:iam::111111111111:root'))
  })

  test('principals of every kind are taken', () => {
    const AWS = [
      ...[
        'arn:aws:iam::111111111111:user/ci',
        'arn:aws:iam::111111111111:user/path/ci',
        'arn:aws:iam::111111111111:role/x/y',
      ],
      ...['arn:aws:sts::111111111111:assumed-role/role/session', 'arn:aws:sts::111111111111:federated-user/x'],
      ...['arn:aws-cn:iam::111111111111:root', 'AROAEXAMPLEEXAMPLE123', 'AIDAEXAMPLEEXAMPLE123'],
    ]
    const Principal = {
      AWS,
      Service: 'replication.ecr.amazonaws.com',
      Federated: 'arn:aws:iam::111111111111:oidc-provider/x/y',
    }
    const { statements } = parse(documentOf({ ...open, Principal }), 'repository')
    assert.deepEqual(statements[0]?.principals?.names, [
      ...AWS,
      ...['service:replication.ecr.amazonaws.com', 'federated:arn:aws:iam::111111111111:oidc-provider/x/y'],
    ])
  })
})

describe('policy documents that are refused', () => {
  const first = 'Statement[0]'
  const refused: RefusedCase[] = [
    ['identity', '', 'syntax', ''],
    ['identity', '{"Version"', 'syntax', ''],
    ['identity', '[]', 'syntax', ''],
    ['identity', 'null', 'syntax', ''],
    ['identity', documentOf('Allow'), 'syntax', first],
    ['identity', documentOf(null), 'syntax', first],
    ['identity', { ...documentOf(allow), Id: 1 }, 'syntax', 'Id'],
    ['identity', documentOf({ ...allow, Sid: 1 }), 'syntax', `${first}.Sid`],
    ['identity', documentOf({ ...allow, Action: 5 }), 'syntax', `${first}.Action`],
    ['identity', documentOf({ ...allow, Action: ['ecr:*', 5] }), 'syntax', `${first}.Action[1]`],
    ['identity', documentOf({ ...allow, Condition: [] }), 'syntax', `${first}.Condition`],
    ['identity', when({ StringEquals: 'x' }), 'syntax', `${first}.Condition.StringEquals`],
    ['identity', when({ StringEquals: { 'a:b': { c: 1 } } }), 'syntax', `${first}.Condition.StringEquals.a:b[0]`],
    ['identity', { ...documentOf(allow), version: '1' }, 'element unknown', 'version'],
    ['identity', documentOf({ ...allow, Efect: 'Allow' }), 'element unknown', `${first}.Efect`],
    ['identity', '{"Statement":[],"Statement":[]}', 'element repeated', '', 'Statement'],
    [
      'identity',
      '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","\\u0045ffect":"Deny"}}',
      'element repeated',
      '',
      'Effect',
    ],
    ['identity', { Version: '2015-01-01', Statement: allow }, 'version', 'Version', '2015-01-01'],
    ['identity', { Version: '2012-10-17' }, 'statement missing', ''],
    ['identity', documentOf(), 'statement missing', 'Statement'],
    ['identity', documentOf({ ...allow, Sid: 'not this' }), 'sid', `${first}.Sid`, 'not this'],
    ['trust', documentOf({ ...trusting, Sid: 'a-b' }), 'sid', `${first}.Sid`, 'a-b'],
    ['identity', documentOf({ ...allow, Sid: 'a' }, { ...allow, Sid: 'a' }), 'sid repeated', 'Statement[1].Sid', 'a'],
    ['identity', documentOf({ ...allow, Effect: undefined }), 'effect', `${first}.Effect`],
    ['identity', documentOf({ ...allow, Effect: 'allow' }), 'effect', `${first}.Effect`, 'allow'],
    ['identity', documentOf({ ...allow, Principal: '*' }), 'principal not allowed', `${first}.Principal`],
    ['identity', documentOf({ ...allow, NotPrincipal: '*' }), 'principal not allowed', `${first}.NotPrincipal`],
    ['repository', documentOf({ ...open, Principal: undefined }), 'principal missing', first],
    ['repository', documentOf({ ...open, NotPrincipal: '*' }), 'element and its negation', `${first}.NotPrincipal`],
    ['repository', documentOf({ ...open, Principal: {} }), 'principal', `${first}.Principal`],
    ['repository', documentOf({ ...open, Principal: { AWS: [] } }), 'principal', `${first}.Principal`],
    ['repository', documentOf({ ...open, Principal: 'all' }), 'principal', `${first}.Principal`, 'all'],
    ...[
      ...[
        '',
        '11111111111',
        'arn:aws:iam::111111111111:user/*',
        'arn:aws:iam::*:root',
        'arn:aws:iam::111111111111:group/x',
      ],
      ...['arn:aws:sts::111111111111:assumed-role/role', 'arn:aws:iam::111111111111:user/', 'arn:aws:s3:::bucket'],
    ].map(
      (name): RefusedCase => [
        'repository',
        documentOf({ ...open, Principal: { AWS: name } }),
        'principal',
        `${first}.Principal.AWS`,
        name,
      ],
    ),
    [
      'repository',
      documentOf({ ...open, Principal: { Service: ['*'] } }),
      'principal',
      `${first}.Principal.Service[0]`,
      '*',
    ],
    [
      'repository',
      documentOf({ ...open, Principal: { CanonicalUser: 'x' } }),
      'principal',
      `${first}.Principal.CanonicalUser`,
      'x',
    ],
    ['identity', documentOf({ Effect: 'Allow', Resource: '*' }), 'action missing', first],
    ['identity', documentOf({ ...allow, Action: [] }), 'action missing', `${first}.Action`],
    ['identity', documentOf({ ...allow, NotAction: '*' }), 'element and its negation', `${first}.NotAction`],
    ...[
      'PutImage',
      'e*:PutImage',
      'ecr:Put:Image',
      'ecr:',
      ':PutImage',
      '**',
      'a b:PutImage',
      'a_b:PutImage',
      'ecr:Put/Image',
      'ecr:${username}',
      'ecr:${aws:username}',
    ].map(
      (action): RefusedCase => [
        'identity',
        documentOf({ ...allow, Action: action }),
        'action',
        `${first}.Action`,
        action,
      ],
    ),
    [
      'repository',
      documentOf({ ...open, Action: ['ecr:*', 's3:*'] }),
      'action not allowed',
      `${first}.Action[1]`,
      's3:*',
    ],
    ['registry V1', documentOf({ ...open, Action: 'ecr:*' }), 'action not allowed', `${first}.Action`, 'ecr:*'],
    ['registry V1', documentOf({ ...open, Action: '*' }), 'action not allowed', `${first}.Action`, '*'],
    [
      'registry V1',
      documentOf({ ...open, Action: undefined, NotAction: 'ecr:ReplicateImage' }),
      'action not allowed',
      `${first}.NotAction`,
    ],
    ['trust', documentOf({ ...trusting, Action: 'ecr:*' }), 'action not allowed', `${first}.Action`, 'ecr:*'],
    ['identity', documentOf({ ...allow, Resource: undefined }), 'resource missing', first],
    ['identity', documentOf({ ...allow, Resource: [] }), 'resource missing', `${first}.Resource`],
    ['identity', documentOf({ ...allow, Resource: 'team/app' }), 'resource', `${first}.Resource`, 'team/app'],
    ['identity', documentOf({ ...allow, Resource: ['*', '*a'] }), 'resource', `${first}.Resource[1]`, '*a'],
    ['trust', documentOf({ ...trusting, Resource: '*' }), 'resource not allowed', `${first}.Resource`],
    [
      'identity',
      documentOf({ ...allow, Resource: 'arn:aws:ecr:*:*:${' }),
      'variable',
      `${first}.Resource`,
      'arn:aws:ecr:*:*:${',
    ],
    [
      'identity',
      documentOf({ ...allow, Resource: 'arn:aws:ecr:*:*:${}' }),
      'variable',
      `${first}.Resource`,
      'arn:aws:ecr:*:*:${}',
    ],
    [
      'identity',
      documentOf({ ...allow, Resource: 'arn:aws:ecr:*:${a:b}:*' }),
      'variable',
      `${first}.Resource`,
      'arn:aws:ecr:*:${a:b}:*',
    ],
    ['identity', when({ StringLike: { 'a:b': '${a:b' } }), 'variable', `${first}.Condition.StringLike.a:b[0]`, '${a:b'],
    ...['StringSame', 'NullIfExists', 'ForAnyValue:Null', 'ForSome:StringLike', 'IfExists', 'NotBool', ''].map(
      (name): RefusedCase => [
        'identity',
        when({ [name]: { 'a:b': 'x' } }),
        'condition operator',
        `${first}.Condition.${name}`,
        name,
      ],
    ),
    ['identity', when({ StringLike: { ':x': 'x' } }), 'condition key', `${first}.Condition.StringLike`, ':x'],
    ['identity', when({ StringLike: { 'x:': 'x' } }), 'condition key', `${first}.Condition.StringLike`, 'x:'],
    ['identity', when({ StringLike: { 'x y': 'x' } }), 'condition key', `${first}.Condition.StringLike`, 'x y'],
    ['identity', when({ StringLike: 'x' }), 'syntax', `${first}.Condition.StringLike`],
    ...['ecr:put-image', 'ecr:Put_Image', 'ecr:Put Image', 'ecr:Put.Image'].map(
      (action): RefusedCase => [
        'repository',
        documentOf({ ...open, Action: action }),
        'action not allowed',
        `${first}.Action`,
        action,
      ],
    ),
    ...Object.entries({
      NumericEquals: ['x', '', '0x10', '${a:b}'],
      DateEquals: ['yesterday', '2026-02-30', '2026-13', '2026-02-28T25:00Z', '2026-02-28T10:00'],
      Bool: ['yes', ''],
      Null: ['absent'],
      BinaryEquals: ['a', '*'],
      IpAddress: ['10.0.0.0/33', '10.0.0', '::/129', '10.0.0.0/', '10.0.0.*', '::1%eth0'],
    }).flatMap(([operator, values]) =>
      values.map(
        (value): RefusedCase => [
          ...(['identity', when({ [operator]: { 'a:b': value } }), 'condition value'] as const),
          ...([`${first}.Condition.${operator}.a:b[0]`, value] as const),
        ],
      ),
    ),
  ]
  for (const [kind, document, problem, at, value] of refused) {
    test(`${kind}: ${typeof document === 'string' ? document : JSON.stringify(document)}`, () => {
      assert.throws(
        () => parse(document, kind),
        (error: Refusal) => {
          assert.equal(error.code, 'PolicyMalformed')
          assert.deepEqual(error.facts, { problem, at, ...(value !== undefined && { value }) })
          return true
        },
      )
    })
  }

  test('a text made to take long is refused as soon as any', () => {
    const blanks = ' '.repeat(10_000)
    const before = performance.now()
    for (const text of [`\${${blanks},}`, `\${a${blanks}b${blanks}`, '${'.repeat(5_000)]) {
      assert.throws(() => parse(when({ StringLike: { 'a:b': text } }), 'identity'))
    }
    assert.throws(() => parse('['.repeat(100_000), 'identity'))
    assert.throws(() => parse(when({ BinaryEquals: { 'a:b': `${'A'.repeat(10_001)}` } }), 'identity'))
    assert.ok(performance.now() - before < 500)
  })

  test('whatever the text, it is parsed or refused, never a crash', () => {
    const name = fc.constantFrom(
      'Version',
      'Statement',
      'Effect',
      'Action',
      'Resource',
      'Principal',
      'Condition',
      'Null',
      'a:b',
    )
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('*', 'Allow', 'Deny', '2012-10-17', 'ecr:*', 'arn:aws:ecr:*', '${', 1, true, null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value'), { maxKeys: 5 }),
      ),
    }))
    const kind = fc.constantFrom<PolicyKind>('identity', 'repository', 'registry', 'registry V1', 'trust')
    fc.assert(
      fc.property(
        fc.oneof(
          value.map((one) => JSON.stringify(one)),
          fc.string(),
        ),
        kind,
        (text, kind) => {
          try {
            parsePolicy(text, kind)
          } catch (error) {
            assert.equal((error as Refusal).code, 'PolicyMalformed')
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
