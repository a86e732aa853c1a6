/** Pulls without credentials: from networks that the operator opened, of what a policy opens to everybody, and nothing more. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  DeleteRegistryPolicyCommand,
  ListImagesCommand,
  PutRegistryPolicyCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr'
import { callAdmin } from '#test/support/admin.ts'
import { openAuditReader } from '#test/support/audit.ts'
import { image } from '#test/support/images/build.ts'
import { logLines } from '#test/support/log-lines.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { startServer } from '#test/support/server.ts'
import { eachServerInCi, expect } from './world.ts'

const environment = {
  LADING_DOMAIN: 'registry.example',
  LADING_MIRRORS: 'hub=000000000000/us-east-1/docker-hub',
  LADING_ANONYMOUS_PULL: '10.1.0.0/16, 2001:db8::/32',
  LADING_TRUSTED_PROXIES: '127.0.0.1',
}
const mirror = 'hub.registry.example'
const pulls = [
  'ecr:BatchGetImage',
  'ecr:GetDownloadUrlForLayer',
  'ecr:BatchCheckLayerAvailability',
  'ecr:ListImageReferrers',
  'ecr:ListImages',
]

eachServerInCi(
  'pulls without credentials',
  (world) => {
    const app = image({ seed: 'anonymous', layers: [1_000] })
    const [layer] = app.blobs
    assert.ok(layer !== undefined)

    const stranger = (method: string, path: string, headers: Record<string, string | undefined> = {}) =>
      world.call(method, path, { headers: { authorization: undefined, 'x-forwarded-for': '10.1.2.3', ...headers } })

    async function setPolicy(repositoryName: string, ...statements: object[]): Promise<void> {
      const policyText = JSON.stringify({ Version: '2012-10-17', Statement: statements })
      await world.client.ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }))
    }

    async function pushed(name: string, ...statements: object[]): Promise<string> {
      await world.client.createRepository(name)
      await pushImage(world.client.registry, name, app, 'v1')
      if (statements.length > 0) await setPolicy(name, ...statements)
      return name
    }

    const everybody = (Action: string | string[] = pulls) => ({ Effect: 'Allow', Principal: '*', Action })

    before(async () => {
      await pushed('docker-hub/library/alpine', everybody())
      await pushed('open/star', everybody('ecr:*'))
      await pushed('closed/none')
    })

    test('a policy for everybody opens each kind of pull to an address of the network', async () => {
      const name = 'docker-hub/library/alpine'
      for (const method of ['GET', 'HEAD']) {
        expect(await stranger(method, `/v2/${name}/manifests/v1`), 200)
        expect(await stranger(method, `/v2/${name}/manifests/${app.digest}`), 200)
        expect(await stranger(method, `/v2/${name}/blobs/${layer.digest}`), 200)
      }
      expect(await stranger('GET', `/v2/${name}/tags/list`), 200)
      expect(await stranger('GET', `/v2/${name}/referrers/${app.digest}`), 200)
      expect(await stranger('GET', `/v2/${name}/manifests/v1`, { 'x-forwarded-for': '2001:db8::1' }), 200)
      expect(await stranger('GET', `/v2/${name}/manifests/v1`, { 'x-forwarded-for': '::ffff:10.1.2.3' }), 200)
      expect(await stranger('GET', '/v2/library/alpine/manifests/v1', { host: mirror }), 200)
      // podman answers a challenge so where it has no credentials.
      expect(await stranger('GET', `/v2/${name}/manifests/v1`, { authorization: 'Basic Og==' }), 200)
    })

    test('an address outside of the networks gets the challenge, and its own word does not count', async () => {
      const path = '/v2/docker-hub/library/alpine/manifests/v1'
      const others = ['10.2.2.3', '192.0.2.1', '::1', '10.1.2.3, 192.0.2.1', 'unknown', undefined]
      for (const address of others) {
        expect(await stranger('GET', path, { 'x-forwarded-for': address }), 401, 'UNAUTHORIZED')
      }
    })

    test('without a domain or a proxy, loopback alone is an address, and no network is open by default', async () => {
      await using server = await startServer()
      const answer = await fetch(`${server.url}/v2/some/app/manifests/v1`)
      assert.equal(answer.status, 401)
    })

    test('what nothing opens is answered by the challenge, whether it is there or not', async () => {
      const answers = [
        await stranger('GET', '/v2/closed/none/manifests/v1'),
        await stranger('GET', '/v2/closed/absent/manifests/v1'),
        await stranger('GET', '/v2/closed/none/manifests/v2'),
        await stranger('GET', `/v2/closed/none/blobs/${layer.digest}`),
        await stranger('GET', '/v2/none/manifests/v1', { host: mirror }),
      ]
      const texts = answers.map((answer) => {
        const { message, headers } = expect(answer, 401, 'UNAUTHORIZED')
        assert.match(headers['www-authenticate'] ?? '', /^Basic realm=/)
        return message.replace(/ \(request id: [0-9a-f-]{36}\)$/, '')
      })
      assert.equal(new Set(texts).size, 1, texts.join('\n'))
      assert.match(texts[0] ?? '', /^Not Authorized\. Log in first/)
    })

    test('a policy for everybody opens no push, no deletion and no catalog', async () => {
      const path = '/v2/open/star'
      expect(await stranger('GET', `${path}/manifests/v1`), 200)
      const calls = [
        ['POST', `${path}/blobs/uploads/`],
        ['PUT', `${path}/manifests/v2`],
        ['DELETE', `${path}/manifests/v1`],
        ['DELETE', `${path}/blobs/${layer.digest}`],
        ['GET', '/v2/_catalog'],
      ] as const
      for (const [method, path] of calls) {
        const answer = expect(await stranger(method, path), 401, 'UNAUTHORIZED')
        assert.ok(answer.headers['www-authenticate'] !== undefined)
      }
      const { imageIds } = await world.client.ecr.send(new ListImagesCommand({ repositoryName: 'open/star' }))
      assert.equal(imageIds?.length, 1)
    })

    test('only a policy for everybody counts, and a denial wins', async () => {
      const path = '/v2/narrow/app/manifests/v1'
      await pushed('narrow/app')
      const statements: readonly (readonly [status: number, ...object[]])[] = [
        [200, { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'ecr:BatchGetImage' }],
        [401, { Effect: 'Allow', Principal: { AWS: '000000000000' }, Action: 'ecr:*' }],
        [401, { Effect: 'Allow', NotPrincipal: { AWS: '000000000000' }, Action: 'ecr:*' }],
        [401, everybody(), { Effect: 'Deny', Principal: '*', Action: 'ecr:BatchGetImage' }],
        [401, everybody(), { Effect: 'Deny', NotPrincipal: { AWS: '000000000000' }, Action: 'ecr:BatchGetImage' }],
        [200, conditional({ IpAddress: { 'aws:SourceIp': '10.1.0.0/16' } })],
        [401, conditional({ IpAddress: { 'aws:SourceIp': '10.1.9.0/24' } })],
        [200, conditional({ StringEquals: { 'aws:PrincipalType': 'Anonymous', 'aws:userid': 'anonymous' } })],
        [200, conditional({ StringEquals: { 'aws:PrincipalAccount': 'anonymous' } })],
        [200, conditional({ Null: { 'aws:PrincipalArn': 'true' } })],
      ]
      for (const [status, ...policy] of statements) {
        await setPolicy('narrow/app', ...policy)
        assert.equal((await stranger('GET', path)).status, status, JSON.stringify(policy))
      }
      function conditional(Condition: object) {
        return { ...everybody(), Condition }
      }
    })

    test('the policy of the registry opens repositories too', async () => {
      const { ecr } = world.client
      await pushed('by-registry/app')
      const Resource = 'arn:aws:ecr:us-east-1:000000000000:repository/by-registry/*'
      const policyText = JSON.stringify({ Version: '2012-10-17', Statement: { ...everybody(), Resource } })
      await ecr.send(new PutRegistryPolicyCommand({ policyText }))
      expect(await stranger('GET', '/v2/by-registry/app/manifests/v1'), 200)
      expect(await stranger('GET', '/v2/by-registry/absent/manifests/v1'), 404, 'NAME_UNKNOWN')
      expect(await stranger('GET', '/v2/closed/none/manifests/v1'), 401, 'UNAUTHORIZED')
      await ecr.send(new DeleteRegistryPolicyCommand({}))
      expect(await stranger('GET', '/v2/by-registry/app/manifests/v1'), 401, 'UNAUTHORIZED')
    })

    test('a client with credentials is asked for them, except at a mirror, and wrong ones are refused', async () => {
      expect(await stranger('GET', '/v2/'), 401, 'UNAUTHORIZED')
      expect(await stranger('GET', '/v2/', { host: mirror }), 200)
      expect(await stranger('GET', '/v2/', { host: mirror, 'x-forwarded-for': '10.2.0.1' }), 401, 'UNAUTHORIZED')
      const wrong = { authorization: `Basic ${Buffer.from('AWS:wrong').toString('base64')}` }
      expect(await stranger('GET', '/v2/docker-hub/library/alpine/manifests/v1', wrong), 401, 'UNAUTHORIZED')
      expect(await stranger('GET', '/v2/', { ...wrong, host: mirror }), 401, 'UNAUTHORIZED')
      const { authorization } = world.client.registry
      expect(await stranger('GET', '/v2/closed/none/manifests/v1', { authorization }), 200)
      expect(await stranger('GET', '/v2/', { authorization }), 200)
    })

    test('the control plane takes no request without a signature', async () => {
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-forwarded-for': '10.1.2.3' }
      const target = 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories'
      const answer = await fetch(world.server.url, {
        method: 'POST',
        headers: { ...headers, 'x-amz-target': target },
        body: '{}',
      })
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /MissingAuthenticationToken/)
    })

    test('the audit trail names the caller and its address, and a denial can be explained', async () => {
      const name = await pushed('audited/app', everybody())
      const address = { 'x-forwarded-for': '10.1.77.1' }
      expect(await stranger('GET', `/v2/${name}/manifests/v1`, address), 200)
      const denied = expect(await stranger('PUT', `/v2/${name}/manifests/v2`, address), 401, 'UNAUTHORIZED')
      const requestId = String(denied.headers['x-amzn-requestid'])
      assert.ok(denied.message.endsWith(`(request id: ${requestId})`))

      using audit = openAuditReader(world.server)
      const LookupAttributes = [{ AttributeKey: 'ResourceName' as const, AttributeValue: name }]
      const found = (await audit.records({ LookupAttributes }, 4)).filter(
        ({ sourceIPAddress }) => sourceIPAddress === '10.1.77.1',
      )
      const identity = { type: 'AWSAccount', principalId: 'anonymous', accountId: 'ANONYMOUS_PRINCIPAL' }
      for (const { userIdentity } of found) assert.deepEqual(userIdentity, identity)
      assert.deepEqual(
        new Map(found.map(({ eventName, errorCode }) => [eventName, errorCode])),
        new Map([
          ['BatchGetImage', undefined],
          ['PutImage', 'AccessDenied'],
        ]),
      )

      const { credentials } = world.server
      const explained = await callAdmin<{ denied: { principal: string }; now: { reason: string } }>(
        ...[world.server, credentials, 'ExplainRequest', { requestId }],
      )
      assert.equal(explained.body.denied.principal, 'anonymous')
      assert.match(
        explained.body.now.reason,
        /AnonymousCallersOnlyPull.* of the session policy LADING_ANONYMOUS_PULL denies/,
      )
      const asked = { principal: 'anonymous', action: 'ecr:BatchGetImage' }
      const resource = (name: string) => `arn:aws:ecr:us-east-1:000000000000:repository/${name}`
      for (const [repository, text] of [
        [name, /^Allowed: statement 1 of the resource-based policy repository policy of audited\/app/],
        ['closed/none', /^Denied: no resource-based policy allows/],
      ] as const) {
        const input = { ...asked, resource: resource(repository) }
        const answer = await callAdmin<{ explanation: { reason: string } }>(world.server, credentials, 'Explain', input)
        assert.match(answer.body.explanation.reason, text)
      }
    })
  },
  { environment },
)

test('challenges to callers without credentials fill no budget of others, and leave no gap in the audit trail', async () => {
  const { log, lines } = logLines()
  await using server = await startServer({ environment: { LADING_ANONYMOUS_PULL: '127.0.0.0/8' }, log })
  // More than an actor's budget for refusals.
  for (let index = 0; index < 350; index++) {
    const answer = await fetch(`${server.url}/v2/some/app-${index}/manifests/v1`, { method: 'HEAD' })
    assert.equal(answer.status, 401)
  }
  await using client = await openOciClient(server)
  await client.createRepository('team/app')
  using audit = openAuditReader(server)
  const named = (AttributeValue: string) => ({
    LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue }],
  })
  assert.equal((await audit.records(named('CreateRepository'))).length, 1)
  assert.ok((await audit.records(named('BatchGetImage'))).length > 0)
  assert.deepEqual(await audit.records(named('AuditRecordsDropped'), 0), [])
  assert.ok(!lines().some(({ msg }) => msg === 'calls are missing from the audit trail'))
})

test('each address without credentials has a request rate of its own', async () => {
  const LADING_ANONYMOUS_PULL = '0.0.0.0/0'
  await using server = await startServer({
    environment: { LADING_ANONYMOUS_PULL, LADING_TRUSTED_PROXIES: '127.0.0.1', LADING_REQUESTS_PER_SECOND: '1' },
  })
  const ask = async (address: string) => {
    const headers = { 'x-forwarded-for': address }
    return (await fetch(`${server.url}/v2/some/app/manifests/v1`, { headers })).status
  }
  const statuses = await Promise.all(Array.from({ length: 20 }, () => ask('10.1.2.3')))
  assert.ok(statuses.includes(429), statuses.join())
  assert.equal(await ask('10.1.2.4'), 401)
})
