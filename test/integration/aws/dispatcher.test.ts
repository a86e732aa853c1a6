import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import {
  CreateRepositoryCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  InvalidLayerPartException,
  RepositoryNotFoundException,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { HandlerRequest } from '#aws/operation.ts'
import type { CreateRepositoryRequest, UploadLayerPartRequest } from '#ecr/model.ts'
import { model } from '#ecr/model.ts'
import type { Authorizer } from '#iam/authorize.ts'
import { repositoryArn } from '#names/arn.ts'
import {
  allowing,
  describeRepositories,
  ecrCall,
  members,
  refuse,
  root,
  send,
  sendSigned,
  signedHeaders,
  startEndpoint,
  type TestHandlers,
} from './endpoint.ts'

function uploadLayerPart(handle: (request: HandlerRequest<UploadLayerPartRequest>) => Promise<object>): TestHandlers {
  return {
    UploadLayerPart: { resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName), handle },
  }
}

const part = {
  repositoryName: 'team/app',
  uploadId: '01234567-89ab-cdef-0123-456789abcdef',
  partFirstByte: 0,
  partLastByte: 2,
  layerPartBlob: Buffer.from('abc'),
}

/** Remembers what it was asked, and forbids what it was told to. */
function recordingAuthorizer(...forbidden: string[]) {
  const asked: string[] = []
  const authorizer: Pick<Authorizer, 'decide'> = {
    async decide(request) {
      const { principal, action, resource } = request
      asked.push(`${principal.arn} ${action} ${resource}`)
      if (!forbidden.includes(action)) return allowing.decide(request)
      const verdict = { allowed: false, reason: 'no allow', type: 'identity-based policy' } as const
      return { principalArn: principal.arn, action, resource, verdict }
    },
  }
  return { asked, authorizer }
}

test('a handler gets parsed input, its registry, the principal, the request id and a signal', async () => {
  const seen: HandlerRequest<UploadLayerPartRequest>[] = []
  await using endpoint = await startEndpoint({
    handlers: uploadLayerPart(async (request) => {
      seen.push(request)
      return { uploadId: request.input.uploadId, lastByteReceived: 2 }
    }),
  })
  const answer = await endpoint.ecr().send(new UploadLayerPartCommand(part))
  assert.equal(answer.lastByteReceived, 2)
  const [request] = seen
  assert.ok(request !== undefined)
  assert.equal(Buffer.from(request.input.layerPartBlob).toString(), 'abc')
  assert.deepEqual(request.registry, { account: '111122223333', region: 'eu-west-1' })
  assert.deepEqual(request.principal, root)
  assert.equal(request.requestId, answer.$metadata.requestId)
  assert.equal(request.signal.aborted, false)
})

test('the signal tells a handler that its client has gone', async () => {
  const started = Promise.withResolvers<AbortSignal>()
  const release = Promise.withResolvers<object>()
  await using endpoint = await startEndpoint({
    handlers: uploadLayerPart(({ signal }) => {
      started.resolve(signal)
      return release.promise
    }),
  })
  const body = JSON.stringify({ ...part, layerPartBlob: 'YWJj' })
  const headers = await signedHeaders(endpoint.url, ecrCall('UploadLayerPart', body))
  const { port } = new URL(endpoint.url)
  const socket = connect(Number(port), '127.0.0.1')
  const head = Object.entries({ ...headers, 'content-length': String(body.length) }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  socket.write(`POST / HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`)
  const signal = await started.promise
  socket.destroy()
  if (!signal.aborted) await once(signal, 'abort')
  release.resolve({})
})

test('authorization is asked for the operation and for what it also needs, on each resource, before the handler runs', async () => {
  let created = 0
  const handlers: TestHandlers = {
    ...describeRepositories,
    CreateRepository: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      also: ({ tags }: CreateRepositoryRequest) => (tags?.length ? ['ecr:TagResource'] : []),
      handle: async () => {
        created += 1
        return {}
      },
    },
  }
  const { asked, authorizer } = recordingAuthorizer('ecr:TagResource')
  await using endpoint = await startEndpoint({ handlers, authorizer })
  await endpoint.ecr().send(new DescribeRepositoriesCommand({ repositoryNames: ['aa', 'bb'] }))
  await endpoint.ecr().send(new CreateRepositoryCommand({ repositoryName: 'aa' }))
  const arn = 'arn:aws:ecr:eu-west-1:111122223333:repository'
  assert.deepEqual(asked, [
    `${root.arn} ecr:DescribeRepositories ${arn}/aa`,
    `${root.arn} ecr:DescribeRepositories ${arn}/bb`,
    `${root.arn} ecr:CreateRepository ${arn}/aa`,
  ])
  await assert.rejects(
    endpoint.ecr().send(new CreateRepositoryCommand({ repositoryName: 'bb', tags: [{ Key: 'k', Value: 'v' }] })),
    {
      name: 'AccessDeniedException',
      message: `User: ${root.arn} is not authorized to perform: ecr:TagResource on resource: ${arn}/bb because no identity-based policy allows the ecr:TagResource action`,
    },
  )
  assert.equal(created, 1)
})

test('an action that may stand in for the operation suffices, and a refusal names the operation', async () => {
  const handlers: TestHandlers = {
    ...describeRepositories,
    CreateRepository: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      instead: ['ecr:PutImage'],
      also: ({ tags }: CreateRepositoryRequest) => (tags?.length ? ['ecr:TagResource'] : []),
      handle: async () => ({}),
    },
  }
  const create = async (denied: readonly string[], tags: { Key: string; Value: string }[] = []) => {
    const { authorizer } = recordingAuthorizer(...denied)
    await using endpoint = await startEndpoint({ handlers, authorizer })
    await endpoint.ecr().send(new CreateRepositoryCommand({ repositoryName: 'aa', tags }))
  }
  await create(['ecr:PutImage'])
  await create(['ecr:CreateRepository'])
  const denied = (action: string) => ({
    name: 'AccessDeniedException',
    message: new RegExp(`not authorized to perform: ${action} `),
  })
  await assert.rejects(create(['ecr:CreateRepository', 'ecr:PutImage']), denied('ecr:CreateRepository'))
  // It stands in for the operation's own action alone.
  const tags = [{ Key: 'k', Value: 'v' }]
  await assert.rejects(create(['ecr:CreateRepository', 'ecr:TagResource'], tags), denied('ecr:TagResource'))
})

test('a refusal is answered under its exception’s name, with its text and its further members', async () => {
  await using endpoint = await startEndpoint({
    handlers: uploadLayerPart(async ({ input, registry }) => {
      if (input.partFirstByte === 0) {
        throw refuse('RepositoryNotFound', { repository: input.repositoryName, account: registry.account })
      }
      throw refuse('UploadGap', { upload: input.uploadId, lastByte: 1 })
    }),
  })
  await assert.rejects(endpoint.ecr().send(new UploadLayerPartCommand(part)), (error) => {
    assert.ok(error instanceof RepositoryNotFoundException)
    assert.equal(
      error.message,
      "The repository with name 'team/app' does not exist in the registry with id '111122223333'",
    )
    assert.equal(error.$metadata.httpStatusCode, 400)
    return true
  })
  await assert.rejects(endpoint.ecr().send(new UploadLayerPartCommand({ ...part, partFirstByte: 5 })), (error) => {
    assert.ok(error instanceof InvalidLayerPartException)
    assert.equal(error.lastValidByteReceived, 1)
    assert.equal(error.uploadId, part.uploadId)
    return true
  })
  assert.deepEqual(endpoint.state.logged, [])
})

test('what is no refusal is logged with its cause and answered without its text', async () => {
  const failure = new Error('disk on fire')
  await using endpoint = await startEndpoint({
    handlers: uploadLayerPart(async () => {
      throw failure
    }),
  })
  await assert.rejects(endpoint.ecr().send(new UploadLayerPartCommand(part)), (error) => {
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'ServerException')
    assert.doesNotMatch(error.message, /fire/)
    return true
  })
  const [logged] = endpoint.state.logged
  assert.ok(logged !== undefined && 'err' in logged && 'requestId' in logged)
  assert.equal(logged.err, failure)
  assert.match(String(logged.requestId), /^[0-9a-f-]{36}$/)
})

test('unsigned, unknown and unserved operations are told apart, after the signature', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  await assert.rejects(endpoint.ecr().send(new DescribeRegistryCommand({})), {
    name: 'UnsupportedOperationException',
    message: 'DescribeRegistry is not served by this version of Lading.',
  })
  for (const name of ['NoSuchOperation', 'toString', '']) {
    assert.equal(members(await sendSigned(endpoint.url, ecrCall(name))).__type, 'UnknownOperationException')
  }
  const foreign = { headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' }, body: '{}' }
  const reply = await sendSigned(endpoint.url, foreign, { service: 'dynamodb' })
  assert.equal(reply.status, 400)
  assert.equal(members(reply).__type, 'UnknownOperationException')
})

test('a body that is no JSON object is refused, and an empty one is an empty object', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const broken = Buffer.from('{"nextToken":"a\xff"}', 'latin1')
  for (const body of ['{', '[]', '"text"', 'null', '\u0000', '{"repositoryNames":["a', broken]) {
    const reply = await sendSigned(endpoint.url, ecrCall('DescribeRepositories', body))
    assert.equal(reply.status, 400, String(body))
    assert.equal(members(reply).__type, 'SerializationException', String(body))
  }
  const empty = await sendSigned(endpoint.url, ecrCall('DescribeRepositories', ''))
  assert.equal(empty.text, '{"repositories":[]}')
})

test('a form that is no UTF-8, in the open or encoded, or is badly encoded is refused', async () => {
  await using endpoint = await startEndpoint()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const text of ['a\xff', 'a%ff', 'a%zz']) {
    const body = Buffer.from(`Action=GetCallerIdentity&Version=2011-06-15&x=${text}`, 'latin1')
    const reply = await sendSigned(endpoint.url, { headers, body }, { service: 'sts' })
    assert.equal(reply.status, 400, text)
    assert.match(reply.text, /<Code>MalformedInput<\/Code>/, text)
  }
})

test('a call with a target is read as JSON, whatever its Content-Type says', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  for (const type of ['', 'json', '/', 'a/b/c', 'text/plain']) {
    const call = ecrCall('DescribeRepositories')
    const reply = await sendSigned(endpoint.url, { ...call, headers: { ...call.headers, 'content-type': type } })
    assert.equal(reply.status, 200, type)
  }
})

test('an error of a form has the namespace of its service, also before the form is read', async () => {
  await using endpoint = await startEndpoint()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const reply = await send(endpoint.url, { headers, body: 'Action=GetCallerIdentity&Version=2011-06-15' })
  assert.match(reply.text, /<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">/)
})

test('the log learns the operation, who asked for it, and how it was refused', async () => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const known = ecrCall('DescribeRepositories')
  await sendSigned(endpoint.url, known)
  await sendSigned(endpoint.url, ecrCall('DescribeRepositories', '{"maxResults":0}'))
  await send(endpoint.url, known)
  await sendSigned(endpoint.url, ecrCall('NoSuchOperation'))
  await endpoint.sts().send(new GetCallerIdentityCommand({}))
  assert.deepEqual(endpoint.state.facts, [
    { operation: 'DescribeRepositories', principal: root.arn },
    { operation: 'DescribeRepositories', principal: root.arn, error: 'InvalidParameterException' },
    { operation: 'DescribeRepositories', error: 'MissingAuthenticationTokenException' },
    { principal: root.arn, error: 'UnknownOperationException' },
    { operation: 'GetCallerIdentity', principal: root.arn },
  ])
})

test('under verification, an answer or an exception that the model does not promise is a ServerException', async () => {
  const wrong: TestHandlers = {
    GetAuthorizationToken: {
      resource: () => '*',
      handle: async () => ({ authorizationData: [{ authorizationToken: 'has blanks' }] }),
    },
    CreateRepository: {
      resource: () => '*',
      handle: async () => {
        // Not what the type says, as a careless cast would give.
        const repository = { repositoryName: 'aa', colour: 'red' } as { repositoryName: string }
        return { repository }
      },
    },
    DescribeRegistry: {
      resource: () => '*',
      handle: async () => {
        throw refuse('RepositoryNotFound', { repository: 'aa', account: '1' })
      },
    },
  }
  await using endpoint = await startEndpoint({ handlers: wrong })
  const calls = [
    endpoint.ecr().send(new GetAuthorizationTokenCommand({})),
    endpoint.ecr().send(new CreateRepositoryCommand({ repositoryName: 'aa' })),
    endpoint.ecr().send(new DescribeRegistryCommand({})),
  ]
  await Promise.all(calls.map((call) => assert.rejects(call, { name: 'ServerException' })))
  assert.equal(endpoint.state.logged.length, 3)

  await using careless = await startEndpoint({ handlers: wrong, verifyOutputs: false })
  await careless.ecr().send(new CreateRepositoryCommand({ repositoryName: 'aa' }))
  assert.deepEqual(careless.state.logged, [])
})

test('GetCallerIdentity names the caller, to whom nothing need be permitted', async () => {
  const { asked, authorizer } = recordingAuthorizer('sts:GetCallerIdentity')
  await using endpoint = await startEndpoint({ authorizer })
  const { Account, Arn, UserId } = await endpoint.sts().send(new GetCallerIdentityCommand({}))
  assert.deepEqual({ Account, Arn, UserId }, { Account: root.account, Arn: root.arn, UserId: root.userId })
  assert.deepEqual(asked, [])
})

test('an unknown STS action is refused in XML, its name escaped nowhere but as text', async () => {
  await using endpoint = await startEndpoint()
  const body = 'Action=%3Cscript%3E%26%00&Version=2011-06-15'
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  const reply = await sendSigned(endpoint.url, { headers, body }, { service: 'sts' })
  assert.equal(reply.status, 400)
  assert.equal(reply.headers.get('content-type'), 'text/xml')
  assert.match(reply.text, /^<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">/)
  assert.match(
    reply.text,
    /<Code>InvalidAction<\/Code><Message>The operation &apos;&lt;script&gt;&amp;\uFFFD&apos; is not known/,
  )
})

test('every exception of the model that is not the server’s fault is answered with 400', () => {
  for (const [name, { httpStatus }] of Object.entries(model.errors)) {
    assert.equal(httpStatus, name === 'ServerException' ? 500 : 400, name)
  }
})
