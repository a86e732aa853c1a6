/** The addresses in responses: without `LADING_PUBLIC_URL` they start from the address that the client used. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'

/** A reverse proxy that terminates TLS, as its headers say, and passes the `Host` on. */
async function startProxy(target: string): Promise<{ readonly port: number } & AsyncDisposable> {
  const proxy = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming
    const forwarded = { ...headers, 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' }
    const sent = sendRequest(target, { method, path: url, headers: forwarded }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(sent)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  // A server that listens on TCP has an address of this type.
  const { port } = proxy.address() as AddressInfo
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      proxy.closeAllConnections()
      proxy.close()
    },
  }
}

function clientAt(endpoint: string, { region, credentials }: RunningServer): ECR {
  return new ECR({ endpoint, region, credentials, maxAttempts: 1 })
}

describe('addresses in responses', () => {
  let server: RunningServer
  before(async () => {
    server = await startServer({ environment: { LADING_TRUSTED_PROXIES: '127.0.0.1' } })
  })
  after(() => server.stop())

  test('a proxy needs no public URL: URIs, the login endpoint and download URLs have the host and scheme that clients use', async () => {
    await using proxy = await startProxy(server.url)
    const host = `localhost:${proxy.port}`
    const ecr = clientAt(`http://${host}`, server)
    const { repository } = await ecr.createRepository({ repositoryName: 'team/behind-a-proxy' })
    assert.equal(repository?.repositoryUri, `${host}/team/behind-a-proxy`)
    const { repositories } = await ecr.describeRepositories({})
    assert.deepEqual(
      repositories?.map(({ repositoryUri }) => repositoryUri),
      [`${host}/team/behind-a-proxy`],
    )
    const { authorizationData } = await ecr.getAuthorizationToken({})
    assert.equal(authorizationData?.[0]?.proxyEndpoint, `https://${host}`)
    const pushed = image()
    await pushImageTo(ecr, 'team/behind-a-proxy', pushed)
    const layer = { repositoryName: 'team/behind-a-proxy', layerDigest: pushed.blobs[0]?.digest }
    const { downloadUrl } = await ecr.getDownloadUrlForLayer(layer)
    assert.equal(new URL(downloadUrl ?? '').origin, `https://${host}`)
    const challenge = await fetch(`http://${host}/v2/`)
    assert.equal(
      challenge.headers.get('www-authenticate'),
      `Basic realm="https://${host}/",service="ecr.amazonaws.com"`,
    )
  })

  test('two clients that use two names of one server get two URIs', async () => {
    const { port } = new URL(server.url)
    await clientAt(server.url, server).createRepository({ repositoryName: 'team/two-names' })
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const ecr = clientAt(`http://${host}`, server)
      const { repositories } = await ecr.describeRepositories({ repositoryNames: ['team/two-names'] })
      assert.equal(repositories?.[0]?.repositoryUri, `${host}/team/two-names`)
    }
  })
})

test('with LADING_DOMAIN the port is the one that the client used', async () => {
  await using server = await startServer({ environment: { LADING_DOMAIN: 'amazonaws.com' } })
  const registryHost = `${server.account}.dkr.ecr.${server.region}.amazonaws.com`
  const { port } = new URL(server.url)
  const created = await clientAt(server.url, server).createRepository({ repositoryName: 'team/app' })
  assert.equal(created.repository?.repositoryUri, `${registryHost}:${port}/team/app`)
})
