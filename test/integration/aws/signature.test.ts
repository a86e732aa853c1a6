import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { DescribeRepositoriesCommand } from '@aws-sdk/client-ecr'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import {
  accessKey,
  describeRepositories,
  ecrCall,
  members,
  presignedUrl,
  type Reply,
  root,
  send,
  sendSigned,
  signedHeaders,
  startEndpoint,
  type Unsigned,
} from './endpoint.ts'

const describe = ecrCall('DescribeRepositories', '{"repositoryNames":["team/app"]}')
const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and ' +
  'signing method. Consult the service documentation for details.'

function assertRefused(reply: Reply, name: string, message: string | RegExp): void {
  const answer = members(reply)
  assert.equal(reply.status, 400)
  assert.equal(answer.__type, name)
  assert.equal(reply.headers.get('x-amzn-errortype'), name)
  assert.equal(reply.headers.get('content-type'), 'application/x-amz-json-1.1')
  assert.match(reply.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f-]{36}$/)
  assert.ok(reply.headers.has('date'))
  if (typeof message === 'string') assert.equal(answer.message, message)
  else assert.match(String(answer.message), message)
}

test('a call that the SDK signed is answered for the account of its key and the region of its scope', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const answer = await endpoint.ecr().send(new DescribeRepositoriesCommand({ repositoryNames: ['team/app'] }))
  assert.deepEqual(answer.repositories, [
    {
      repositoryName: 'team/app',
      registryId: '111122223333',
      repositoryArn: 'arn:aws:ecr:eu-west-1:111122223333:repository/team/app',
      createdAt: new Date(1_700_000_000_250),
      imageTagMutability: 'MUTABLE',
    },
  ])
})

test('registryId chooses another registry of the same region', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const answer = await endpoint
    .ecr()
    .send(new DescribeRepositoriesCommand({ registryId: '444455556666', repositoryNames: ['team/app'] }))
  assert.equal(answer.repositories?.[0]?.repositoryArn, 'arn:aws:ecr:eu-west-1:444455556666:repository/team/app')
})

test('a secret that is not the key’s is refused', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const wrong = { ...accessKey, secretAccessKey: 'not-the-secret' }
  await assert.rejects(endpoint.ecr(wrong).send(new DescribeRepositoriesCommand({})), {
    name: 'InvalidSignatureException',
    message: mismatch,
  })
  await assert.rejects(endpoint.sts(wrong).send(new GetCallerIdentityCommand({})), {
    name: 'SignatureDoesNotMatch',
    message: mismatch,
  })
})

test('an unknown key is refused, and so is a session token, since no key here is temporary', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const message = 'The security token included in the request is invalid.'
  const unknown = { ...accessKey, accessKeyId: 'AKIAUNKNOWN' }
  const temporary = { ...accessKey, sessionToken: 'token' }
  for (const credentials of [unknown, temporary]) {
    await assert.rejects(endpoint.ecr(credentials).send(new DescribeRepositoriesCommand({})), {
      name: 'UnrecognizedClientException',
      message,
    })
    await assert.rejects(endpoint.sts(credentials).send(new GetCallerIdentityCommand({})), {
      name: 'InvalidClientTokenId',
      message,
    })
  }
})

test('a signature is good for five minutes either way of the clock, and its refusal says so', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const signedAt = Date.UTC(2026, 0, 2, 3, 4, 5)
  const sendAt = async (offsetMs: number) => {
    endpoint.state.now = signedAt + offsetMs
    return sendSigned(endpoint.url, describe, { signingDate: new Date(signedAt) })
  }
  for (const offset of [-300_000, 0, 300_000]) assert.equal((await sendAt(offset)).status, 200)
  assertRefused(
    await sendAt(301_000),
    'InvalidSignatureException',
    'Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)',
  )
  assertRefused(
    await sendAt(-301_000),
    'InvalidSignatureException',
    'Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)',
  )
})

test('a call that was good is refused when it is replayed late', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const { host: _, ...headers } = await signedHeaders(endpoint.url, describe)
  assert.equal((await send(endpoint.url, { ...describe, headers })).status, 200)
  endpoint.state.now += 6 * 60_000
  assertRefused(await send(endpoint.url, { ...describe, headers }), 'InvalidSignatureException', /^Signature expired: /)
})

test('a call whose body, target, host or query was changed after signing is refused', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const { host: _, ...headers } = await signedHeaders(endpoint.url, describe)
  const tampered: [string, Unsigned][] = [
    [endpoint.url, { headers, body: '{"repositoryNames":["team/apq"]}' }],
    [
      endpoint.url,
      { ...describe, headers: { ...headers, 'x-amz-target': ecrCall('ListImages').headers['x-amz-target'] } },
    ],
    [endpoint.url, { ...describe, headers: { ...headers, 'content-type': 'application/json' } }],
    [endpoint.url.replace('127.0.0.1', 'localhost'), { ...describe, headers }],
    [`${endpoint.url}/?a=b`, { ...describe, headers }],
  ]
  for (const [url, call] of tampered) assertRefused(await send(url, call), 'InvalidSignatureException', mismatch)
})

test('headers outside SignedHeaders do not count, and any header inside does', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const call = { ...describe, headers: { ...describe.headers, 'x-forwarded-for': '10.0.0.1' } }
  const { host: _, ...headers } = await signedHeaders(endpoint.url, call)
  assert.equal((await send(endpoint.url, { ...call, headers: { ...headers, accept: 'text/html' } })).status, 200)
  assertRefused(
    await send(endpoint.url, { ...call, headers: { ...headers, 'x-forwarded-for': '10.0.0.2' } }),
    'InvalidSignatureException',
    mismatch,
  )
})

test('x-amz-content-sha256 must be the body’s hash, and UNSIGNED-PAYLOAD is not', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const right = hash('sha256', describe.body ?? '')
  for (const [claimed, good] of [
    [right, true],
    ['UNSIGNED-PAYLOAD', false],
    ['0'.repeat(64), false],
  ] as const) {
    const call = { ...describe, headers: { ...describe.headers, 'x-amz-content-sha256': claimed } }
    const reply = await sendSigned(endpoint.url, call)
    if (good) assert.equal(reply.status, 200)
    else assertRefused(reply, 'InvalidSignatureException', mismatch)
  }
  const { host: _, ...headers } = await signedHeaders(endpoint.url, describe)
  assertRefused(
    await send(endpoint.url, { ...describe, headers: { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }),
    'InvalidSignatureException',
    mismatch,
  )
})

test('an unsigned call is refused in the protocol that it speaks', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const unsigned: Unsigned[] = [
    describe,
    ecrCall('NoSuchOperation'),
    { headers: {}, body: 'garbage' },
    { method: 'GET', headers: {} },
  ]
  for (const call of unsigned) {
    assertRefused(await send(endpoint.url, call), 'MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  for (const body of ['Action=GetCallerIdentity&Version=2011-06-15', 'Action=Nothing&Version=1999-01-01', '']) {
    const reply = await send(endpoint.url, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })
    assert.equal(reply.status, 403)
    assert.match(reply.text, /<Type>Sender<\/Type><Code>MissingAuthenticationToken<\/Code>/)
  }
})

test('an Authorization header that is no whole SigV4 says what it lacks', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const { authorization = '', ...headers } = await signedHeaders(endpoint.url, describe)
  const date = headers['x-amz-date']?.slice(0, 8) ?? ''
  const cases: [authorization: string, name: string, message: RegExp][] = [
    ['Basic QVdTOnRva2Vu', 'IncompleteSignatureException', /must begin with 'AWS4-HMAC-SHA256'/],
    [
      'AWS4-HMAC-SHA256',
      'IncompleteSignatureException',
      /requires 'Credential' .* requires 'SignedHeaders' .* requires 'Signature'/,
    ],
    [
      authorization.replace(/, Signature=.*/, ''),
      'IncompleteSignatureException',
      /^Authorization header requires 'Signature' parameter\.$/,
    ],
    [authorization.replace(/Signature=.*/, 'Signature=abc'), 'IncompleteSignatureException', /64 hexadecimal digits/],
    [authorization.replace('/eu-west-1', ''), 'IncompleteSignatureException', /exactly 5 slash-delimited elements/],
    [
      authorization.replace('/ecr/', '/s3/'),
      'InvalidSignatureException',
      /^Credential should be scoped to correct service: 'ecr'\.$/,
    ],
    [
      authorization.replace('aws4_request', 'aws5'),
      'InvalidSignatureException',
      /valid terminator: 'aws4_request', not 'aws5'/,
    ],
    [authorization.replace('eu-west-1', 'EU!'), 'InvalidSignatureException', /valid region, not 'EU!'/],
    [
      authorization.replace(`/${date}/`, '/20200101/'),
      'InvalidSignatureException',
      /^Date in Credential scope does not match/,
    ],
    [authorization.replace('host;', ''), 'InvalidSignatureException', /^'host' must be a 'SignedHeader'/],
    [authorization.replace(';x-amz-date', ''), 'InvalidSignatureException', /^'x-amz-date' must be a 'SignedHeader'/],
    [
      authorization.replace(';x-amz-target', ''),
      'InvalidSignatureException',
      /^'x-amz-target' must be a 'SignedHeader'/,
    ],
    [
      authorization.replace('host;', 'constructor;host;__proto__;'),
      'InvalidSignatureException',
      /^The request signature/,
    ],
  ]
  for (const [changed, name, message] of cases) {
    const { host: _, ...rest } = headers
    assertRefused(
      await send(endpoint.url, { ...describe, headers: { ...rest, authorization: changed } }),
      name,
      message,
    )
  }
  const { host: _, 'x-amz-date': __, ...undated } = headers
  assertRefused(
    await send(endpoint.url, { ...describe, headers: { ...undated, authorization } }),
    'IncompleteSignatureException',
    /X-Amz-Date/,
  )
  assertRefused(
    await send(endpoint.url, { ...describe, headers: { ...undated, authorization, 'x-amz-date': '2026-01-01' } }),
    'IncompleteSignatureException',
    /ISO-8601/,
  )
  assert.deepEqual(endpoint.state.logged, [])
})

test('a presigned call is good until it expires, in JSON and as an STS GET', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const signedAt = endpoint.state.now - (endpoint.state.now % 1000)
  const options = { expiresIn: 60, signingDate: new Date(signedAt) }
  const whoAmI: Unsigned = { method: 'GET', query: { Action: 'GetCallerIdentity', Version: '2011-06-15' }, headers: {} }
  const jsonUrl = await presignedUrl(endpoint.url, describe, options)
  const stsUrl = await presignedUrl(endpoint.url, whoAmI, { ...options, service: 'sts' })

  assert.equal((await send(jsonUrl, describe)).status, 200)
  const identity = await send(stsUrl, whoAmI)
  assert.equal(identity.status, 200)
  assert.match(identity.text, new RegExp(`<Arn>${root.arn}</Arn>`))

  assertRefused(await send(jsonUrl, { ...describe, body: '{}' }), 'InvalidSignatureException', mismatch)
  assertRefused(
    await send(jsonUrl.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'), describe),
    'InvalidSignatureException',
    mismatch,
  )
  assertRefused(
    await send(jsonUrl.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801'), describe),
    'IncompleteSignatureException',
    /from 1 to 604800, got '604801'/,
  )
  assertRefused(
    await send(jsonUrl.replace('X-Amz-Expires=60', ''), describe),
    'IncompleteSignatureException',
    /must include 'X-Amz-Expires'/,
  )

  endpoint.state.now = signedAt + 61_000
  assertRefused(await send(jsonUrl, describe), 'InvalidSignatureException', /^Signature expired: .* - 1 min\.\)$/)
  const late = await send(stsUrl, whoAmI)
  assert.equal(late.status, 403)
  assert.match(late.text, /<Code>SignatureDoesNotMatch<\/Code><Message>Signature expired: /)
})
