import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { openRawConnection, type RawConnection } from './support/raw-connection.ts'
import { type ServeProcess, startServeProcess } from './support/serve-process.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

function serveIn(folder: string, ...flags: string[]): ServeProcess {
  return startServeProcess(['--listen', '127.0.0.1:0', '--data-dir', folder, ...flags])
}

/** A request whose body does not end before `finish`. */
async function unfinishedRequest(url: string): Promise<{ connection: RawConnection; finish(): void }> {
  const connection = await openRawConnection(Number(new URL(url).port))
  const expectsMore = 'Expect: 100-continue\r\nContent-Length: 2\r\n'
  connection.socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.1\r\n${expectsMore}\r\n`,
  )
  // The server has the request once it asks for the body.
  await connection.receive('100 Continue')
  return { connection, finish: () => connection.socket.write('{}') }
}

test('the first start prints endpoint, root key and a snippet, and a restart no secret', async () => {
  await using folder = await temporaryFolder()
  let secret: string
  {
    await using first = serveIn(folder.path)
    const url = await first.url()
    secret = /AWS_SECRET_ACCESS_KEY=(\S{40})$/m.exec(first.output())?.[1] ?? assert.fail(first.output())
    assert.match(first.output(), /AWS_ACCESS_KEY_ID=AKIA\w{16}$/m)
    assert.ok(first.output().includes(`AWS_ENDPOINT_URL=${url}\n`))
    assert.ok(first.output().includes(`docker login --username AWS --password-stdin ${new URL(url).host}\n`))
    first.signal('SIGTERM')
    assert.equal(await first.exit, 0)
    assert.ok(!first.errors().includes(secret))
  }
  await using second = serveIn(folder.path)
  const url = await second.url()
  second.signal('SIGTERM')
  assert.equal(await second.exit, 0)
  assert.equal(second.output(), `Lading serves ${url}\n`)
  assert.ok(!second.errors().includes(secret))
})

for (const workers of ['1', '2']) {
  test(`a signal lets a running request end, then exits 0, with ${workers} worker(s)`, async () => {
    await using folder = await temporaryFolder()
    await using lading = serveIn(folder.path, '--workers', workers)
    const { connection, finish } = await unfinishedRequest(await lading.url())
    await using _ = connection
    lading.signal('SIGINT')
    lading.signal('SIGINT')
    await lading.says(/"msg":"stopping"/)
    finish()
    await connection.closed
    assert.match(connection.received(), /HTTP\/1\.1 4\d\d /)
    assert.equal(await lading.exit, 0)
    assert.match(lading.errors(), /"msg":"stopped"\}\n$/)
  })

  test(`a port that is taken ends the start with one line, with ${workers} worker(s)`, async () => {
    await using folder = await temporaryFolder()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' ? address?.port : undefined
    try {
      await using lading = serveIn(folder.path, '--listen', `127.0.0.1:${port}`, '--workers', workers)
      assert.equal(await lading.exit, 1)
      assert.equal(
        lading.errors(),
        `lading: cannot listen on 127.0.0.1:${port} (EADDRINUSE): expected a free address and port of this machine\n`,
      )
      // The key was made by this start, and no other will show it.
      assert.match(lading.output(), /AWS_SECRET_ACCESS_KEY=/)
    } finally {
      taken.close()
    }
  })
}

test('a later signal exits at once', async () => {
  await using folder = await temporaryFolder()
  await using lading = serveIn(folder.path)
  const { connection } = await unfinishedRequest(await lading.url())
  await using _ = connection
  const repeated = setInterval(() => lading.signal('SIGTERM'), 100)
  assert.equal(await lading.exit.finally(() => clearInterval(repeated)), 1)
  await connection.closed
})

test('a worker that dies is replaced', async () => {
  await using folder = await temporaryFolder()
  await using lading = serveIn(folder.path, '--workers', '2')
  const url = await lading.url()
  assert.equal((await fetch(`${url}/before`)).status, 404)
  const [, worker] = await lading.says(/"pid":(\d+),"requestId":"[^"]*","method":"GET","path":"\/before"/)
  assert.notEqual(Number(worker), lading.pid)
  process.kill(Number(worker), 'SIGKILL')
  await lading.says(/"worker":\d+,"code":null,"signal":"SIGKILL",.*"msg":"a worker ended; starting another"/)
  assert.equal((await fetch(`${url}/livez`)).status, 200)
  lading.signal('SIGTERM')
  assert.equal(await lading.exit, 0)
})

test('a bad or unknown flag ends the start with one line that shows no secret', async () => {
  const refusalOf = async (...flags: string[]) => {
    await using lading = startServeProcess(flags)
    assert.equal(await lading.exit, 1)
    assert.equal(lading.output(), '')
    return lading.errors()
  }
  assert.equal(await refusalOf('--workers', '0'), 'lading: --workers is "0": expected a whole number from 1 to 64\n')
  assert.match(
    await refusalOf('--root-secret=hush'),
    /^lading: --root-secret is no setting: expected one of (?!.*hush).*\n$/,
  )
  assert.match(await refusalOf('--root-secret-access-key', 'hush'), /^lading: .* is not shown: (?!.*hush).*\n$/)
})
