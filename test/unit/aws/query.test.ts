/** The query protocol by the model: what IAM's shapes read of flat parameters, and what they write as XML. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { QueryModel } from '#aws/api-model.ts'
import { AwsError } from '#aws/aws-error.ts'
import { compileUnflatten } from '#aws/query-input.ts'
import { compileElements } from '#aws/query-output.ts'
import { compileReader } from '#aws/validate.ts'
import { queryViolations } from '#aws/violations.ts'
import { xmlDocument } from '#aws/xml.ts'
import { model } from '#iamapi/model.ts'

function read(operation: keyof QueryModel['operations'], parameters: string): unknown {
  const input = model.operations[operation]?.input ?? ''
  const reader = compileReader(model, input, { constraints: {}, unchecked: [], violations: queryViolations })
  return reader(compileUnflatten(model, input)(new URLSearchParams(parameters)), '')
}

function refused(operation: string, parameters: string): string {
  try {
    return `read as ${JSON.stringify(read(operation, parameters))}`
  } catch (error) {
    assert.ok(error instanceof AwsError)
    return `${error.code}: ${error.message}`
  }
}

test('structures, lists and numbers are read from flat parameters', () => {
  const tags =
    'Tags.member.2.Key=b&Tags.member.2.Value=&Tags.member.10.Key=c&Tags.member.10.Value=3&Tags.member.1.Key=a'
  assert.deepEqual(read('CreateUser', `Action=CreateUser&UserName=ann&${tags}&Tags.member.1.Value=1&Else=x`), {
    UserName: 'ann',
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '' },
      { Key: 'c', Value: '3' },
    ],
  })
  assert.deepEqual(read('ListUsers', 'MaxItems=7'), { MaxItems: 7 })
  assert.deepEqual(
    read('CreatePolicyVersion', 'PolicyArn=arn:aws:iam::1:policy/x&PolicyDocument={}&SetAsDefault=true'),
    {
      PolicyArn: 'arn:aws:iam::1:policy/x',
      PolicyDocument: '{}',
      SetAsDefault: true,
    },
  )
  assert.deepEqual(read('UntagUser', 'UserName=ann&TagKeys='), { UserName: 'ann', TagKeys: [] })
  assert.deepEqual(read('UntagUser', 'UserName=ann&TagKeys.member.1=a&TagKeys.member.2=b'), {
    UserName: 'ann',
    TagKeys: ['a', 'b'],
  })
})

test('of a parameter that is given twice the first counts', () => {
  assert.deepEqual(read('GetUser', 'UserName=ann&UserName=bob'), { UserName: 'ann' })
})

test('names of parameters reach nothing that an object inherits', () => {
  const input = 'UserName=ann&__proto__.x=1&constructor=2&Tags.member.__proto__.Key=k&Tags.member.0.Key=k'
  assert.deepEqual(read('CreateUser', input), { UserName: 'ann', Tags: [] })
})

test('a violation is told in the words of the query services, with the whole way to it', () => {
  const detected = 'ValidationError: 1 validation error detected: '
  const cases: readonly (readonly [string, string, string])[] = [
    ['CreateUser', '', `${detected}Value null at 'userName' failed to satisfy constraint: Member must not be null`],
    [
      'CreateUser',
      'UserName=a%20b',
      `${detected}Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+`,
    ],
    [
      'CreateUser',
      `UserName=${'a'.repeat(300)}`,
      `${detected}Value '${'a'.repeat(256)}…' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [
      'CreateUser',
      'UserName=a&Tags.member.1.Key=k',
      `${detected}Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null`,
    ],
    [
      'UpdateAccessKey',
      'AccessKeyId=AKIAEXAMPLEEXAMPLE00&Status=On',
      `${detected}Value 'On' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]`,
    ],
    [
      'ListUsers',
      'MaxItems=1001',
      `${detected}Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000`,
    ],
  ]
  for (const [operation, parameters, expected] of cases) assert.equal(refused(operation, parameters), expected)
})

test('several violations are joined into one error, at most ten of them', () => {
  const failed = (value: string, place: string, constraint: string) =>
    `Value ${value} at '${place}' failed to satisfy constraint: ${constraint}`
  const absent = 'Member must not be null'
  const short = 'Member must have length greater than or equal to 1'
  const name = 'Member must satisfy regular expression pattern: [\\w+=,.@-]+'
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['CreateUser', 'UserName=', [failed("''", 'userName', short), failed("''", 'userName', name)]],
    [
      'PutUserPolicy',
      'UserName=a%20b&PolicyDocument=',
      [
        failed("'a b'", 'userName', name),
        failed('null', 'policyName', absent),
        failed("''", 'policyDocument', short),
        failed(
          "''",
          'policyDocument',
          'Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
        ),
      ],
    ],
    [
      'TagUser',
      'UserName=ann&Tags.member.1.Key=k&Tags.member.2.Value=v',
      [failed('null', 'tags.1.member.value', absent), failed('null', 'tags.2.member.key', absent)],
    ],
  ]
  for (const [operation, parameters, details] of cases) {
    const expected = `ValidationError: ${details.length} validation errors detected: ${details.join('; ')}`
    assert.equal(refused(operation, parameters), expected)
  }
  // As IAM was recorded, but for the order, in which clients see no meaning, and the values, which IAM hides by now.
  const listed = (member: string, most: number, least: number) =>
    `Value at '${member}' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to ${most}, Member must have length greater than or equal to ${least}]`
  const clients = `ClientIDList.member.1=${'a'.repeat(256)}&ClientIDList.member.2=ok&ClientIDList.member.3=`
  const thumbprints = 'ThumbprintList.member.1=b'
  assert.equal(
    refused('CreateOpenIDConnectProvider', `Url=https://x.example&${clients}&${thumbprints}`),
    `ValidationError: 2 validation errors detected: ${listed('clientIDList', 255, 1)}; ${listed('thumbprintList', 40, 40)}`,
  )
  const many = Array.from({ length: 40 }, (_, index) => `Tags.member.${index + 1}.Key=k`).join('&')
  const refusal = refused('TagUser', `UserName=ann&${many}`)
  assert.match(refusal, /^ValidationError: 10 validation errors detected: /)
  assert.equal(refusal.split('; ').length, 10)
})

test('what is no number, no boolean or no structure is malformed', () => {
  for (const [operation, parameters] of [
    ['ListUsers', 'MaxItems=ten'],
    ['ListUsers', 'MaxItems=1.5'],
    ['CreatePolicyVersion', 'PolicyArn=arn:aws:iam::1:policy/x&PolicyDocument={}&SetAsDefault=1'],
    ['CreateUser', 'UserName=a&Tags=x'],
    ['CreateUser', 'UserName=a&Tags.member.1=x'],
    ['CreateUser', `UserName=a&${'x.'.repeat(20)}=1`],
    ['CreateUser', `UserName=a${'&x=1'.repeat(2_000)}`],
  ] as const) {
    assert.match(refused(operation, parameters), /^SerializationException: /, parameters.slice(0, 80))
  }
})

test('lists, maps, times, numbers and booleans are written as XML', () => {
  const write = (operation: string, output: object) =>
    xmlDocument('R', 'n', compileElements(model, model.operations[operation]?.output ?? '')(output))
  const user = { Path: '/', UserName: 'a&b', UserId: 'AIDA', Arn: 'arn', CreateDate: new Date(1_700_000_000_250) }
  assert.equal(
    write('ListUsers', { Users: [user], IsTruncated: false, Unknown: 1, Marker: undefined }),
    '<R xmlns="n"><Users><member><Path>/</Path><UserName>a&amp;b</UserName><UserId>AIDA</UserId><Arn>arn</Arn>' +
      '<CreateDate>2023-11-14T22:13:20Z</CreateDate></member></Users><IsTruncated>false</IsTruncated></R>\n',
  )
  assert.equal(write('ListUsers', { Users: [] }), '<R xmlns="n"><Users></Users></R>\n')
  assert.equal(
    write('GetAccountSummary', { SummaryMap: { Users: 3, Groups: 0 } }),
    '<R xmlns="n"><SummaryMap><entry><key>Users</key><value>3</value></entry>' +
      '<entry><key>Groups</key><value>0</value></entry></SummaryMap></R>\n',
  )
})

test('every operation of both services can be compiled', async () => {
  const sts = await import('#sts/model.ts')
  for (const each of [model, sts.model]) {
    for (const { input, output } of Object.values(each.operations)) {
      compileReader(each, input, { constraints: {}, unchecked: [], violations: queryViolations })
      compileUnflatten(each, input)
      compileElements(each, output)
    }
  }
})

const word = fc.string({ unit: fc.constantFrom('a', 'B', '7', '+', '=', '@', '-', '.'), minLength: 1, maxLength: 20 })

test('what a client flattens is read as it was, in whatever order the parameters come', () => {
  const user = fc.record(
    {
      UserName: word,
      Tags: fc.array(fc.record({ Key: word, Value: word }, { noNullPrototype: true }), { maxLength: 12 }),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(user, fc.infiniteStream(fc.nat()), ({ UserName, Tags }, order) => {
      const flat: [string, string][] = [['UserName', UserName]]
      if (Tags.length === 0) flat.push(['Tags', ''])
      for (const [index, tag] of Tags.entries()) {
        for (const [name, value] of Object.entries(tag)) flat.push([`Tags.member.${index + 1}.${name}`, value])
      }
      const shuffled = flat
        .map((pair) => [order.next().value ?? 0, pair] as const)
        .sort(([a], [b]) => a - b)
        .map(([, pair]) => pair)
      assert.deepEqual(read('CreateUser', new URLSearchParams(shuffled).toString()), { UserName, Tags })
    }),
  )
})

test('any parameters are read to an input or refused by an AWS error', () => {
  const part = fc.constantFrom(
    'Tags',
    'member',
    '1',
    '2',
    'Key',
    'Value',
    'UserName',
    '',
    '__proto__',
    'constructor',
    '0',
  )
  const name = fc.array(part, { minLength: 1, maxLength: 14 }).map((parts) => parts.join('.'))
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string()), { maxLength: 20 }), (pairs) => {
      const parameters = new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value])).toString()
      // Anything else than an AWS error is thrown on.
      refused('CreateUser', parameters)
      refused('TagUser', parameters)
    }),
  )
})
