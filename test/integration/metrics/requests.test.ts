/** `/metrics` counts requests by few kinds, whichever of the processes that share a database answered them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { eachDatabase } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pullWhole, pushImage } from '#test/support/push.ts'
import { startServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

const requestsOf = (surface: string, operation: string, status: string) =>
  `lading_http_requests_total{surface="${surface}",operation="${operation}",status="${status}"}`

eachDatabase((databases) =>
  describe(`metrics of requests on ${databases.dialect}`, () => {
    test('what one process answers is told by all, by surface, kind and status', async () => {
      const database = await databases.url()
      await using other = await startServer({ database })
      const server = await startServer({ database })
      const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
      {
        await using client = await openOciClient(server)
        const repository = await client.createRepository('team/app')
        const app = image({ layers: [100] })
        await pushImage(client.registry, repository, app, 'v1')
        await pullWhole(client.registry, repository, 'v1')
        assert.equal((await client.call('GET', `/v2/${repository}/manifests/none`)).status, 404)
        assert.equal((await client.call('GET', '/v2/', { headers: { authorization: undefined } })).status, 401)
        assert.equal((await client.call('GET', `/v2/${repository}/tags/list`)).status, 200)
        await iam.createUser({ UserName: 'ann' })
        await assert.rejects(iam.getUser({ UserName: 'bob' }))
        await fetch(`${server.url}/nowhere`)
        await fetch(`${server.url}/livez`)
      }
      iam.destroy()
      await server.stop()
      const told = await readMetrics(other)
      const counted = new Map([...told].filter(([name]) => name.startsWith('lading_http_requests_total')))
      assert.deepEqual(
        counted,
        new Map([
          [requestsOf('ecr', 'read', '2xx'), 1], // the token
          [requestsOf('ecr', 'write', '2xx'), 1],
          [requestsOf('iam', 'read', '4xx'), 1],
          [requestsOf('iam', 'write', '2xx'), 1],
          [requestsOf('oci', 'blob-read', '2xx'), 2],
          [requestsOf('oci', 'blob-write', '2xx'), 6],
          [requestsOf('oci', 'list', '2xx'), 1],
          [requestsOf('oci', 'manifest-read', '2xx'), 1],
          [requestsOf('oci', 'manifest-read', '4xx'), 1],
          [requestsOf('oci', 'manifest-write', '2xx'), 1],
          [requestsOf('oci', 'other', '4xx'), 1],
          [requestsOf('other', 'other', '4xx'), 1],
        ]),
      )

      const duration = (what: string, more = '') =>
        told.get(`lading_http_request_duration_seconds_${what}{surface="oci",operation="blob-write"${more}}`) ?? 0
      assert.deepEqual([duration('count'), duration('bucket', ',le="+Inf"')], [6, 6])
      assert.ok(duration('sum') > 0)
      const limits = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300].map((limit) => duration('bucket', `,le="${limit}"`))
      assert.deepEqual(
        limits,
        limits.toSorted((a, b) => a - b),
      )
      assert.equal(limits.at(-1), 6)
    })

    test('a client that goes away is counted as such', async () => {
      await using server = await startServer({ database: await databases.url() })
      await using client = await openOciClient(server)
      const repository = await client.createRepository('team/app')
      const bytes = Buffer.alloc(32 * 1024 * 1024) // More than sockets hold.
      const path = `/v2/${repository}/blobs/${digest(bytes)}`
      const pushed = await client.call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest(bytes)}`, {
        body: bytes,
      })
      assert.equal(pushed.status, 201)
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${client.registry.authorization}\r\n\r\n`)
      await once(socket, 'data')
      socket.destroy()
      const name = requestsOf('oci', 'blob-read', 'aborted')
      await until(async () => (await readMetrics(server)).get(name) === 1)
    })
  }),
)
