/** GetAuthorizationToken and DescribeRegistry, by the AWS SDK, and which operations there are. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { model } from '#ecr/model.ts'
import { answerOf, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'

const account = '000000000000'
const session = await startEcrSession()
after(() => session[Symbol.asyncDispose]())

/** The status that the data plane answers to these credentials. */
async function logIn(proxyEndpoint: string, authorizationToken: string): Promise<number> {
  const headers = { authorization: `Basic ${authorizationToken}` }
  const { status, body } = await fetch(`${proxyEndpoint}/v2/`, { headers })
  await body?.cancel()
  return status
}

describe('authorization tokens', () => {
  test('a token is for the caller, lasts twelve hours, and opens the endpoint that it comes with', async () => {
    const startedAt = Date.now()
    const { authorizationData = [] } = await answerOf(session.ecr.getAuthorizationToken({}))
    const [{ authorizationToken = '', expiresAt = new Date(0), proxyEndpoint = '' } = {}, ...more] = authorizationData
    assert.deepEqual(more, [])
    assert.equal(proxyEndpoint, session.server.url)
    assert.match(Buffer.from(authorizationToken, 'base64').toString(), /^AWS:\S+$/)
    const lifetimeMs = 12 * 60 * 60 * 1_000
    const issuedAt = expiresAt.getTime() - lifetimeMs
    assert.ok(issuedAt >= startedAt - 1_000 && issuedAt <= Date.now(), 'it counts from now, in whole seconds')
    assert.equal(expiresAt.getTime() % 1_000, 0)
    assert.equal(await logIn(proxyEndpoint, authorizationToken), 200)
  })

  test('each registry that is asked for has an entry with its endpoint, at a domain the one of its account', async () => {
    const registryIds = ['222222222222', account]
    await using atDomain = await startEcrSession({ environment: { LADING_DOMAIN: 'registry.test' } })
    const { port } = new URL(atDomain.server.url)
    const { authorizationData = [] } = await atDomain.ecr.getAuthorizationToken({ registryIds })
    assert.deepEqual(
      authorizationData.map(({ proxyEndpoint }) => proxyEndpoint),
      registryIds.map((id) => `http://${id}.dkr.ecr.us-east-1.registry.test:${port}`),
    )
    const { repository } = await atDomain.ecr.createRepository({ repositoryName: 'team/app' })
    assert.equal(repository?.repositoryUri, `${account}.dkr.ecr.us-east-1.registry.test:${port}/team/app`)
  })

  test('a registry id that is none is refused', async () => {
    const invalid = (member: string, constraint: string) => ({
      name: 'InvalidParameterException',
      message: `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
      status: 400,
    })
    assert.deepEqual(
      await refusalOf(session.ecr.getAuthorizationToken({ registryIds: ['1'] })),
      invalid('registryIds', "must satisfy regular expression '[0-9]{12}'"),
    )
    assert.deepEqual(
      await refusalOf(session.ecr.getAuthorizationToken({ registryIds: [] })),
      invalid('registryIds', 'Member must have length greater than or equal to 1'),
    )
  })
})

test("a registry is described as the caller's own, without replication", async () => {
  const described = await answerOf(session.ecr.describeRegistry({}))
  assert.deepEqual(described, { registryId: account, replicationConfiguration: { rules: [] } })
})

test('every operation of the API is served', async () => {
  for (const name of Object.keys(model.operations)) {
    const [outcome] = await Promise.allSettled([call(name)])
    const error = outcome.status === 'rejected' ? outcome.reason : undefined
    assert.ok(!/^(Unsupported|Unknown)Operation/.test(error?.name ?? ''), name)
  }
})

/** Calls the operation of that name, with an empty input. */
async function call(operation: string): Promise<unknown> {
  const method: unknown = Reflect.get(session.ecr, operation.charAt(0).toLowerCase() + operation.slice(1))
  assert.ok(typeof method === 'function', `the SDK has no ${operation}`)
  return method.call(session.ecr, {})
}
