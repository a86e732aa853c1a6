/** Silent connections do not use up the file descriptors that other clients need. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { parseMediaType } from '#names/media-type.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { pushBlob } from '#test/support/push.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const credentials = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'test-secret-test-secret-test' }

for (const workers of [1, 2]) {
  test(`silent connections leave files to open clients, with ${workers} worker(s)`, async () => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const root = ['--root-access-key-id', credentials.accessKeyId]
    root.push('--root-secret-access-key', credentials.secretAccessKey)
    const flags = ['--listen', '127.0.0.1:0', '--data-dir', folder.path, '--workers', String(workers), ...root]
    const lading = stack.use(startServeProcess(flags, { descriptors: 256 }))
    const url = await lading.url()
    await lading.says(/"descriptors":256,"maxConnections":80/)

    const ecr = stack.adopt(new ECRClient({ endpoint: url, region: 'us-east-1', credentials }), (each) =>
      each.destroy(),
    )
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'hello' }))
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
    const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
    const bytes = noise('blob', 100_000)
    const blob = { bytes, digest: digest(bytes), mediaType: parseMediaType('application/octet-stream') }
    await pushBlob({ url, authorization }, 'hello', blob)

    const agent = stack.adopt(new Agent({ keepAlive: true, maxSockets: 8 }), (each) => each.destroy())
    const statuses = (path: string, count: number) =>
      Promise.all(Array.from({ length: count }, () => statusOf(agent, `${url}${path}`, authorization)))
    const path = `/v2/hello/blobs/${blob.digest}`
    assert.deepEqual(new Set(await statuses(path, 8)), new Set([200]))

    const silent = stack.adopt(
      Array.from({ length: 400 * workers }, () => silentConnection(Number(new URL(url).port))),
      (all) => {
        for (const each of all) each.destroy()
      },
    )
    await Promise.all(silent.map((each) => once(each, 'connect')))
    assert.deepEqual(new Set(await statuses(path, 40)), new Set([200]))
    assert.deepEqual(new Set(await statuses('/readyz', 8)), new Set([200]))
    await until(() => lading.errors().includes('connections were closed at once, since there are too many'))
    assert.ok(silent.some((each) => !each.destroyed))
  })
}

function statusOf(agent: Agent, url: string, authorization: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization } }, (response) =>
      response
        .resume()
        .on('end', () => resolve(response.statusCode))
        .on('error', reject),
    ).on('error', reject)
  })
}

function silentConnection(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => {})
}
