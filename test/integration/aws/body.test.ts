/** What a call's body may cost: nothing before its head is good, and then only so many bytes and so much time. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { repositoryArn } from '#names/arn.ts'
import { openRawConnection } from '#test/support/raw-connection.ts'
import {
  describeRepositories,
  ecrCall,
  members,
  type SignOptions,
  sendSigned,
  signedHeaders,
  startEndpoint,
  type TestHandlers,
  type Unsigned,
} from './endpoint.ts'

const mib = 1024 * 1024

/** A connection that has sent a call's head and nothing of its body. */
async function sendHead(t: TestContext, url: string, headers: Readonly<Record<string, string>>) {
  const connection = await openRawConnection(Number(new URL(url).port))
  t.after(() => connection[Symbol.asyncDispose]())
  const lines = Object.entries({ host: new URL(url).host, ...headers }).map(([name, value]) => `${name}: ${value}`)
  connection.socket.write(`POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  return connection
}

async function sendSignedHead(t: TestContext, url: string, call: Unsigned, length: number) {
  return sendHead(t, url, { ...(await signedHeaders(url, call)), 'content-length': String(length) })
}

test('what the head decides is answered before the body is read', async (t) => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }
  const unsigned = (call: Unsigned) => async () => call.headers
  const signed = (options: SignOptions) => () => signedHeaders(endpoint.url, ecrCall('DescribeRepositories'), options)
  const late = new Date(endpoint.state.now - 3_600_000)
  const refused: readonly [claim: string, headers: () => Promise<Record<string, string>>, error: string][] = [
    ['a call without a signature', unsigned(ecrCall('DescribeRepositories')), 'MissingAuthenticationTokenException'],
    ['a form without a signature, larger than what may need none', unsigned(form), 'RequestEntityTooLarge'],
    ['a call signed for another service', signed({ service: 'sts' }), 'InvalidSignatureException'],
    ['a call signed an hour ago', signed({ signingDate: late }), 'InvalidSignatureException'],
    [
      'a call of an unknown key',
      async () => {
        const headers = await signed({})()
        return { ...headers, authorization: String(headers.authorization).replace('AKIA', 'AKIB') }
      },
      'UnrecognizedClientException',
    ],
  ]
  for (const [claim, headers, error] of refused) {
    await t.test(claim, async (t) => {
      const { receive } = await sendHead(t, endpoint.url, { ...(await headers()), 'content-length': String(30 * mib) })
      await receive(error)
    })
  }
})

test('a client that was refused early may send its body all the same, and go on', async (t) => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const { headers } = ecrCall('DescribeRepositories')
  const connection = await sendHead(t, endpoint.url, { ...headers, 'content-length': String(mib) })
  await connection.receive('MissingAuthenticationTokenException')
  connection.socket.write(Buffer.alloc(mib, ' '))
  const next = await signedHeaders(endpoint.url, ecrCall('DescribeRepositories'))
  const lines = Object.entries({ ...next, 'content-length': '2' }).map(([name, value]) => `${name}: ${value}`)
  connection.socket.write(`POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{}`)
  await connection.receive('{"repositories":[]}')
})

const wide: TestHandlers = {
  ...describeRepositories,
  UploadLayerPart: {
    resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
    largeBody: { maxBytes: 2 * mib, maxEntries: 100 },
    handle: async () => ({}),
  },
}

test('a body larger than its operation takes is refused, by the length that it declares or that it has', async (t) => {
  await using endpoint = await startEndpoint({ handlers: wide })
  const tooLarge = '"RequestEntityTooLargeException"'
  for (const [operation, limit] of [
    ['DescribeRepositories', mib],
    ['NoSuchOperation', mib],
    ['UploadLayerPart', 2 * mib],
  ] as const) {
    await t.test(operation, async (t) => {
      const declared = await sendSignedHead(t, endpoint.url, ecrCall(operation), limit + 1)
      await declared.receive(tooLarge)
      const body = Buffer.alloc(limit + 1, ' ')
      const headers = await signedHeaders(endpoint.url, ecrCall(operation, body))
      const chunked = await sendHead(t, endpoint.url, { ...headers, 'transfer-encoding': 'chunked' })
      chunked.socket.write(`${body.length.toString(16)}\r\n`)
      chunked.socket.write(body)
      await chunked.receive(tooLarge)
      assert.match(chunked.received(), /^HTTP\/1\.1 413 /)
    })
  }
  const largest = await sendSigned(endpoint.url, ecrCall('DescribeRepositories', `{}${' '.repeat(mib - 2)}`))
  assert.equal(largest.status, 200)
})

test('a body that comes byte by byte is read as it is', async (t) => {
  await using endpoint = await startEndpoint({ handlers: describeRepositories })
  const body = JSON.stringify({ repositoryNames: ['team/app'] })
  const headers = await signedHeaders(endpoint.url, ecrCall('DescribeRepositories', body))
  const connection = await sendHead(t, endpoint.url, { ...headers, 'transfer-encoding': 'chunked' })
  for (const byte of body) connection.socket.write(`1\r\n${byte}\r\n`)
  connection.socket.write('0\r\n\r\n')
  await connection.receive('"repositoryName":"team/app"')
})

test('a body that does not arrive in time is refused, and in as much time again its connection ends', async (t) => {
  await using endpoint = await startEndpoint({ limits: { deadlineMs: 50, inFlightBytes: mib } })
  const connection = await sendSignedHead(t, endpoint.url, ecrCall('DescribeRepositories', '{}'), 2)
  connection.socket.write('{')
  await connection.receive('"RequestTimeoutException"')
  assert.match(connection.received(), /^HTTP\/1\.1 408 /)
  await connection.closed
})

test('a body for which the bodies in flight leave no room is refused until one of them is answered', async (t) => {
  await using endpoint = await startEndpoint({
    handlers: describeRepositories,
    limits: { deadlineMs: 60_000, inFlightBytes: 1000 },
  })
  const spaced = (length: number) => ecrCall('DescribeRepositories', `{}${' '.repeat(length - 2)}`)
  assert.equal((await sendSigned(endpoint.url, spaced(1000))).status, 200)
  const slow = await sendSignedHead(t, endpoint.url, spaced(900), 900)
  slow.socket.write(`{}${' '.repeat(800)}`)
  // Until the slow one's bytes have been read there is room.
  let other = await sendSigned(endpoint.url, spaced(300))
  while (other.status === 200) other = await sendSigned(endpoint.url, spaced(300))
  assert.deepEqual([other.status, members(other)], [400, { __type: 'ThrottlingException', message: 'Rate exceeded' }])
  assert.equal((await sendSigned(endpoint.url, spaced(100))).status, 200)

  slow.socket.write(' '.repeat(98))
  await slow.receive('{"repositories":[]}')
  assert.equal((await sendSigned(endpoint.url, spaced(1000))).status, 200)
})

test('a client that goes away in its body takes no room any more', async (t) => {
  await using endpoint = await startEndpoint({
    handlers: describeRepositories,
    limits: { deadlineMs: 60_000, inFlightBytes: 1000 },
  })
  const call = ecrCall('DescribeRepositories', `{}${' '.repeat(998)}`)
  const gone = await sendSignedHead(t, endpoint.url, call, 1000)
  gone.socket.write(' '.repeat(900))
  while ((await sendSigned(endpoint.url, call)).status === 200);
  gone.socket.destroy()
  while ((await sendSigned(endpoint.url, call)).status !== 200);
  assert.deepEqual(endpoint.state.logged, [])
})

test('a body that is to be one long text has only so many members, which are counted before it is parsed', async () => {
  const long: TestHandlers = {
    PutImage: {
      resource: 'unrestricted',
      largeBody: { maxBytes: 13 * mib, maxEntries: 100 },
      handle: async ({ input: { repositoryName, imageManifest } }) => ({ image: { repositoryName, imageManifest } }),
    },
  }
  await using endpoint = await startEndpoint({ handlers: long })
  const put = (more: string) => {
    const input = JSON.stringify({ repositoryName: 'app', imageManifest: '"[{,:'.repeat(mib / 5) })
    return sendSigned(endpoint.url, ecrCall('PutImage', `${input.slice(0, -1)}${more}}`))
  }
  assert.equal((await put('')).status, 200)
  assert.equal((await put(`,"x":[${'1,'.repeat(90)}1]`)).status, 200)
  for (const more of [`,"x":[${'[],'.repeat(1_000_000)}[]]`, `,"x":[${'1,'.repeat(100)}1]`, ',"x":1,"x":2']) {
    const reply = await put(more)
    assert.equal(reply.status, 400, more.slice(0, 20))
    assert.equal(members(reply).__type, 'SerializationException')
  }
})
