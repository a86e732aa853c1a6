/** Peers that answer otherwise than the specification suggests, and what a push makes of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { PeerRemotesParts } from '#remote/peers.ts'
import type { PeerAddress } from '#remote/registry.ts'
import {
  type Script,
  type ScriptedAnswer,
  type ScriptedRequest,
  startScriptedPeer,
} from '#test/support/peers/scripted-peer.ts'
import { connectPeer, piecesOf } from '#test/support/upstreams/peer.ts'
import { failure } from '#test/support/upstreams/remote.ts'

const digest: Digest = parseDigest(`sha256:${'1'.repeat(64)}`)
const other: Digest = parseDigest(`sha256:${'2'.repeat(64)}`)
const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', body: Buffer.from('{}') }
const manifestDigest: Digest = parseDigest('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
const uploads = '/v2/app/blobs/uploads/'
const opened = (location = `${uploads}1`): ScriptedAnswer => ({ status: 202, headers: { location, range: '0-0' } })
const refusal = (status: number, code: string, message = ''): ScriptedAnswer => ({
  status,
  body: JSON.stringify({ errors: [{ code, message }] }),
})

async function openPeer(script: Script, address: Partial<PeerAddress> = {}, parts: Partial<PeerRemotesParts> = {}) {
  const server = await startScriptedPeer(script)
  const peer = connectPeer({ url: server.url, credentials: { kind: 'none' }, ...address }, parts)
  return {
    peer,
    requests: server.requests,
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe('a slow registry', () => {
  const slowly = async (status: number) => {
    await delay(1_500)
    return { status }
  }

  test('may read a large blob again before it answers the end of an upload', async () => {
    await using open = await openPeer(
      ({ method }) => (method === 'POST' ? opened() : slowly(201)),
      {},
      { silenceMs: 500 },
    )
    const upload = await open.peer.startUpload('app')
    assert(upload !== 'mounted')
    await open.peer.finish(upload, digest)
  })

  test('may look up all that a manifest refers to', async () => {
    await using open = await openPeer(() => slowly(201), {}, { silenceMs: 500 })
    await open.peer.putManifest('app', 'v1', manifest)
  })

  test('may not be as slow with what needs no work', async () => {
    await using open = await openPeer(() => slowly(200), {}, { silenceMs: 500 })
    await assert.rejects(open.peer.hasBlob('app', digest), failure('unreachable', /silent/))
  })
})

test('a refused mount becomes an upload', async () => {
  await using open = await openPeer(({ url }) =>
    url.searchParams.has('mount') ? refusal(403, 'DENIED', 'no pull') : opened(),
  )
  const mount = { digest, from: 'secret' }
  assert.notEqual(await open.peer.startUpload('app', { mount }), 'mounted')
  assert.equal(open.requests.length, 2)
})

test('what may be sent twice is sent once more over a connection that the registry has just closed', async () => {
  const left = new Set(['POST', 'PUT', 'PATCH'])
  await using open = await openPeer(({ method }, response) => {
    if (left.delete(method)) return void response.destroy()
    return method === 'POST' ? opened() : { status: 201 }
  })
  const upload = await open.peer.startUpload('app')
  assert(upload !== 'mounted')
  await open.peer.putManifest('app', 'v1', manifest)
  const sent = open.peer.append(upload, { body: piecesOf(Buffer.alloc(10)), sizeBytes: 10 })
  await assert.rejects(sent, failure('unreachable'))
  assert.deepEqual(
    open.requests.map((line) => line.split(' ')[0]),
    ['POST', 'POST', 'PUT', 'PUT', 'PATCH'],
  )
})

describe('the meaning of a status without a code', () => {
  test('404 at the start of an upload: there is no such repository', async () => {
    await using open = await openPeer(() => ({ status: 404 }))
    await assert.rejects(open.peer.startUpload('app'), failure('missing'))
  })

  for (const status of [409, 412]) {
    test(`${status}: a tag that may not move, for a manifest alone`, async () => {
      await using open = await openPeer(({ url }) =>
        url.pathname === uploads && url.search === '' ? opened() : { status },
      )
      await assert.rejects(open.peer.putManifest('app', 'v1', manifest), failure('immutable'))
      const upload = await open.peer.startUpload('app')
      assert(upload !== 'mounted')
      await assert.rejects(open.peer.finish(upload, digest), failure('invalid'))
    })
  }
})

describe('a registry that is wrong or hostile', () => {
  test('an error that does not end has a limit of time', async () => {
    await using open = await openPeer((_, response) => {
      response.writeHead(400)
      const drip = setInterval(() => response.write(' '), 100)
      response.on('close', () => clearInterval(drip))
      return undefined
    })
    const started = performance.now()
    await assert.rejects(open.peer.putManifest('app', 'v1', manifest), failure('invalid'))
    assert.ok(performance.now() - started < 8_000)
  })

  test('a PATCH that is confirmed without a byte of it is none', async () => {
    await using open = await openPeer(() => opened())
    const upload = await open.peer.startUpload('app')
    assert(upload !== 'mounted')
    const sent = open.peer.append(upload, { body: piecesOf(Buffer.alloc(10)), sizeBytes: 10 })
    await assert.rejects(sent, failure('upload'))
  })

  test('a digest that it states must be the one that was pushed', async () => {
    let stated: string = other
    await using open = await openPeer(({ method }) =>
      method === 'POST' ? opened() : { status: 201, headers: { 'docker-content-digest': stated } },
    )
    const upload = await open.peer.startUpload('app')
    assert(upload !== 'mounted')
    await assert.rejects(open.peer.finish(upload, digest), failure('invalid', /digest/))
    await assert.rejects(open.peer.putManifest('app', 'v1', manifest), failure('invalid', /digest/))
    await assert.rejects(open.peer.putManifest('app', manifestDigest, manifest), failure('invalid', /digest/))
    stated = digest
    await open.peer.finish(upload, digest)
    stated = manifestDigest
    await open.peer.putManifest('app', 'v1', manifest)
    // Some state a digest of another algorithm.
    stated = `sha512:${'3'.repeat(128)}`
    await open.peer.finish(upload, digest)
  })
})

describe('a peer that speaks ECR', () => {
  const account = '111111111111'
  const credentials = {
    ...({ kind: 'ecr', account, region: 'eu-central-1' } as const),
    key: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  }
  const role = { ...credentials, roleArn: `arn:aws:iam::${account}:role/replicator` }

  /** Its tokens and sessions are numbered. */
  function scriptOf(answer: (token: string, request: ScriptedRequest) => ScriptedAnswer) {
    const calls: string[] = []
    const script: Script = (request) => {
      const { headers, body } = request
      const operation = String(headers['x-amz-target'] ?? new URLSearchParams(body.toString()).get('Action'))
      if (headers['x-amz-date'] === undefined)
        return answer(String(headers.authorization).replace('Basic ', ''), request)
      calls.push(operation.replace(/^.*\./, ''))
      const key = /Credential=(\w+)/.exec(String(headers.authorization))?.[1] ?? ''
      const made = calls.length
      if (operation === 'AssumeRole') {
        const member = (name: string, text: string) => `<${name}>${text}</${name}>`
        return {
          status: 200,
          body: member('AccessKeyId', `ASIA${made}`) + member('SecretAccessKey', 's') + member('SessionToken', 't'),
        }
      }
      if (operation.endsWith('PutImage')) return putImage(key)
      const expiresAt = Date.now() / 1000 + 3600
      return {
        status: 200,
        body: JSON.stringify({ authorizationData: [{ authorizationToken: `t${made}`, expiresAt }] }),
      }
    }
    return { script, calls }
  }
  let putImage = (_: string): ScriptedAnswer => ({ status: 200, body: '{}' })

  test('a token that has expired early is renewed once', async () => {
    let good = 't1'
    const { script, calls } = scriptOf((token, { method }) =>
      token === good
        ? { status: method === 'HEAD' ? 200 : 201 }
        : refusal(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.'),
    )
    await using open = await openPeer(script, { credentials })
    await open.peer.putManifest('app', 'v1', manifest)
    good = 't2'
    await open.peer.putManifest('app', 'v1', manifest)
    assert.equal(calls.length, 2)
    good = 't3'
    assert.equal(await open.peer.hasBlob('app', digest), true)
    good = 'none'
    await assert.rejects(open.peer.putManifest('app', 'v1', manifest), failure('forbidden'))
    assert.equal(calls.length, 4)
    await assert.rejects(open.peer.hasBlob('app', digest), failure('forbidden'))
    await assert.rejects(open.peer.hasBlob('app', digest), failure('forbidden'))
    assert.equal(calls.length, 4)
  })

  test('a role is assumed again only when its session is about to end, or is refused', async () => {
    const { script, calls } = scriptOf(() => ({ status: 200 }))
    let now = Date.now()
    await using open = await openPeer(script, { credentials: role }, { clock: () => now })
    const put = () => open.peer.ecr?.putImage('app', { ...manifest, digest: manifestDigest })
    await put()
    await put()
    assert.deepEqual(calls, ['AssumeRole', 'PutImage', 'PutImage'])
    now += 890_000
    await put()
    assert.deepEqual(calls.slice(3), ['AssumeRole', 'PutImage'])
    putImage = (key) =>
      key === 'ASIA4' ? { status: 400, body: '{"__type":"ExpiredTokenException"}' } : { status: 200 }
    await put()
    assert.deepEqual(calls.slice(5), ['PutImage', 'AssumeRole', 'PutImage'])
    putImage = () => ({ status: 400, body: '{"__type":"UnrecognizedClientException"}' })
    await assert.rejects(put() ?? Promise.resolve(), failure('unauthorized'))
    assert.deepEqual(calls.slice(8), ['PutImage', 'AssumeRole', 'PutImage'])
  })
})

test('a sign-in that AWS throttles is no refusal of the key', async () => {
  const key = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'test-secret-test-secret-test-secret-test' }
  const credentials = { kind: 'ecr', account: '000000000000', region: 'eu-central-1', key } as const
  const throttling: ScriptedAnswer = {
    status: 400,
    body: JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' }),
  }
  const xml = '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>'
  const roleArn = 'arn:aws:iam::000000000000:role/replication'
  await using ecr = await openPeer(() => throttling, { credentials })
  await assert.rejects(ecr.peer.startUpload('app'), failure('limited'))
  await using sts = await openPeer(() => ({ status: 400, body: xml }), { credentials: { ...credentials, roleArn } })
  await assert.rejects(sts.peer.startUpload('app'), failure('limited'))
})
