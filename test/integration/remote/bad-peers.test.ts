/** Peers that break the protocol, lie or never end: what a registry that replicates to them says, and how little it costs. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { image } from '#test/support/images/build.ts'
import { startSource, there } from '#test/support/peers/pair.ts'
import { type Misbehaviour, type StandIn, startStandIn } from '#test/support/peers/stand-in.ts'
import { settled } from '#test/support/replication.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const registries = [{ account: there.registryId, region: there.region }]
const status = (text: string) => [`${there.registryId}/${there.region}: ${text}`]

async function open(misbehave: Misbehaviour, entry: Readonly<Record<string, unknown>> = {}) {
  await using stack = new AsyncDisposableStack()
  const peer = stack.use(await startStandIn(misbehave))
  const source = stack.use(await startSource([{ name: 'bad', kind: 'registry', url: peer.url, registries, ...entry }]))
  const owned = stack.move()
  return { peer, source, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const isUploads = ({ method, url }: { method: string; url: URL }) =>
  method === 'POST' && url.pathname.endsWith('/blobs/uploads/')

/** Waits until the peer was asked for nothing more for a while. */
async function quiet(peer: StandIn): Promise<void> {
  for (let before = -1; before !== peer.asked.length; ) {
    before = peer.asked.length
    await delay(1_000)
  }
}

test('an upload that began at an address which the peer had before begins again', async () => {
  await using folder = await temporaryFolder()
  await using before = await startStandIn(({ method }) => method === 'PATCH')
  await using after = await startStandIn()
  const environment = { LADING_DATA_DIR: folder.path }
  const start = ({ url }: StandIn) =>
    startSource([{ name: 'moved', kind: 'registry', url, registries }], { environment })
  const pushed = image()
  let name: string
  {
    await using source = await start(before)
    name = await source.repository()
    await source.push(name, pushed, 'v1')
    await until(() => before.asked.some((each) => each.startsWith('PATCH')))
  }
  await using source = await start(after)
  assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('COMPLETE'))
  assert.ok(after.manifests.has(`${name} v1`))
})

describe('a peer', { concurrency: true }, () => {
  test('that says a blob is mounted which is not there gets the blob', async () => {
    await using opened = await open((request) => {
      if (!isUploads(request) || !request.url.searchParams.has('mount')) return false
      request.answer(201)
      return true
    })
    const { source, peer } = opened
    const shared = image({ layers: [50_000] })
    const names = [await source.repository(), await source.repository()]
    for (const name of names) {
      await source.push(name, shared, 'v1')
      assert.deepEqual(await settled(source.ecr, name, shared.digest), status('COMPLETE'))
      assert.ok(peer.manifests.has(`${name} v1`))
    }
  })

  test('that never counts a byte is not sent the same bytes for ever', async () => {
    await using opened = await open(async ({ method, url, read, answer }) => {
      if (method !== 'PATCH') return false
      await read()
      answer(202, { location: url.pathname, range: '0-0' })
      return true
    })
    const { source, peer } = opened
    const name = await source.repository()
    await source.push(name, image({ layers: [50_000] }), 'v1')
    await until(() => peer.bytes > 0)
    await delay(5_000)
    assert.ok(peer.bytes < 30 * 51_000, `${peer.bytes} bytes`)
  })

  test('that loses each upload is asked less and less', async () => {
    await using opened = await open(async ({ method, read, answer }) => {
      if (method !== 'PATCH' && method !== 'GET') return false
      await read()
      answer(404)
      return true
    })
    const { source, peer } = opened
    const name = await source.repository()
    await source.push(name, image({ layers: [50_000] }), 'v1')
    await until(() => peer.bytes > 0)
    await delay(5_000)
    assert.ok(peer.bytes < 6 * 51_000, `${peer.bytes} bytes`)
  })

  test('that sends uploads to another server is refused, and the other hears nothing', async () => {
    await using other = await startStandIn()
    await using opened = await open((request) => {
      if (!isUploads(request)) return false
      request.answer(202, { location: `${other.url}/v2/team/app-1/blobs/uploads/1` })
      return true
    })
    const { source } = opened
    const name = await source.repository()
    const pushed = image()
    await source.push(name, pushed, 'v1')
    assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('FAILED AccessDeniedException'))
    assert.deepEqual(other.asked, [])
  })

  test('that redirects writes to another server sends nothing there', async () => {
    await using other = await startStandIn()
    await using opened = await open(({ method, url, answer }) => {
      if (method === 'HEAD') return false
      answer(307, { location: `${other.url}${url.pathname}` })
      return true
    })
    const { source, peer } = opened
    await source.push(await source.repository(), image(), 'v1')
    await until(() => peer.asked.some((each) => each.startsWith('POST')))
    await quiet(peer)
    assert.deepEqual(other.asked, [])
  })

  test('that redirects reads to a private address sends no request there', async () => {
    await using other = await startStandIn()
    await using opened = await open(({ method, url, answer }) => {
      if (method !== 'HEAD') return false
      answer(307, { location: `${other.url}${url.pathname}` })
      return true
    })
    const { source } = opened
    const name = await source.repository()
    const pushed = image()
    await source.push(name, pushed, 'v1')
    assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('FAILED AccessDeniedException'))
    assert.deepEqual(other.asked, [])
  })

  test('that accepts no manifest of this kind is a refusal, and a blob that is not there yet is none', async () => {
    let code = 'MANIFEST_BLOB_UNKNOWN'
    await using opened = await open(({ method, url, response, raw }) => {
      if (method !== 'PUT' || !url.pathname.includes('/manifests/')) return false
      raw.resume()
      response.writeHead(400).end(JSON.stringify({ errors: [{ code, message: 'it cannot be read' }] }))
      return true
    })
    const { source, peer } = opened
    const name = await source.repository()
    const pushed = image()
    await source.push(name, pushed, 'v1')
    await until(() => peer.asked.some((each) => each.includes('PUT') && each.includes('/manifests/')))
    await delay(500)
    const { replicationStatuses } = await source.ecr.describeImageReplicationStatus({
      ...{ repositoryName: name, imageId: { imageDigest: pushed.digest } },
    })
    assert.equal(replicationStatuses?.[0]?.status, 'IN_PROGRESS')
    code = 'MANIFEST_INVALID'
    assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('FAILED InvalidParameterException'))
  })

  test('that asks for credentials for ever is asked a few times', async () => {
    const login = { username: 'user', password: 'password' }
    await using opened = await open(({ answer }) => {
      answer(401, { 'www-authenticate': 'Basic realm="peer"' })
      return true
    }, login)
    const { source, peer } = opened
    const name = await source.repository()
    const pushed = image()
    await source.push(name, pushed, 'v1')
    assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('FAILED UnrecognizedClientException'))
    assert.ok(peer.asked.length <= 4, String(peer.asked.length))
  })

  test('that refuses without an end costs little memory, and its image is tried again', async () => {
    const chunk = Buffer.alloc(1_048_576, 'x')
    let written = 0
    await using opened = await open((request) => {
      if (!isUploads(request)) return false
      const { response, raw } = request
      raw.resume()
      response.writeHead(400, { 'content-type': 'application/json' })
      const write = () => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length
      }
      response.on('drain', write).on('error', () => {})
      write()
      return true
    })
    const { source, peer } = opened
    await source.push(await source.repository(), image(), 'v1')
    await until(() => peer.asked.filter((each) => each.startsWith('POST')).length > 4)
    assert.ok(written < 200 * chunk.length, `${written} bytes`)
  })

  test('that answers 500 to some images receives the others', async () => {
    const good = 'team/app-11'
    await using opened = await open(({ method, url, answer }) => {
      if (method !== 'PUT' || !url.pathname.includes('/manifests/') || url.pathname.includes(`${good}/`)) return false
      answer(500)
      return true
    })
    const { source } = opened
    for (let seed = 1; seed <= 11; seed++) {
      const name = await source.repository()
      const pushed = image({ seed: String(seed), layers: [100] })
      await source.push(name, pushed, 'v1')
      if (name === good) assert.deepEqual(await settled(source.ecr, name, pushed.digest), status('COMPLETE'))
    }
  })
})
