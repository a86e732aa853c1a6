import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { postgresUrl } from '#test/support/databases.ts'
import { openRawConnection, type RawConnection } from '#test/support/raw-connection.ts'
import { type ServeProcess, startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

function serveIn(folder: string, ...flags: string[]): ServeProcess {
  return startServeProcess(['--listen', '127.0.0.1:0', '--data-dir', folder, ...flags])
}

/** What a start says on standard error that ends without serving or printing anything. */
async function refusalOf(flags: readonly string[]): Promise<string> {
  await using lading = startServeProcess(flags)
  assert.equal(await lading.exit, 1)
  assert.equal(lading.output(), '')
  return lading.errors()
}

/** Begins to upload a blob, with the root key that the first start printed. */
async function startUpload(lading: ServeProcess): Promise<{ location: URL; authorization: string }> {
  const url = await lading.url()
  const [, accessKeyId = ''] = /AWS_ACCESS_KEY_ID=(\S+)/.exec(lading.output()) ?? []
  const [, secretAccessKey = ''] = /AWS_SECRET_ACCESS_KEY=(\S+)/.exec(lading.output()) ?? []
  const ecr = new ECRClient({ endpoint: url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } })
  await ecr.send(new CreateRepositoryCommand({ repositoryName: 'hello' }))
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
  ecr.destroy()
  const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
  const started = await fetch(`${url}/v2/hello/blobs/uploads/`, { method: 'POST', headers: { authorization } })
  assert.equal(started.status, 202)
  return { location: new URL(started.headers.get('location') ?? '', url), authorization }
}

/** A request whose body does not end before `finish`: the only part of an upload. */
async function unfinishedRequest(lading: ServeProcess): Promise<{ connection: RawConnection; finish(): void }> {
  const { location, authorization } = await startUpload(lading)
  const connection = await openRawConnection(Number(location.port))
  const expectsMore = 'Expect: 100-continue\r\nContent-Length: 2\r\n'
  connection.socket.write(
    `PATCH ${location.pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n${expectsMore}\r\n`,
  )
  // The server has the request once it asks for the body.
  await connection.receive('100 Continue')
  return { connection, finish: () => connection.socket.write('ok') }
}

test('the first start prints endpoint, root key and a snippet, and a restart no secret', async () => {
  await using folder = await temporaryFolder()
  let secret: string
  {
    await using first = serveIn(folder.path)
    const url = await first.url()
    secret = /AWS_SECRET_ACCESS_KEY=(\S{40})$/m.exec(first.output())?.[1] ?? assert.fail(first.output())
    assert.match(first.output(), /AWS_ACCESS_KEY_ID=AKIA\w{16}$/m)
    assert.ok(first.output().includes(`AWS_ENDPOINT_URL=${url}\n  export AWS_ENDPOINT_URL_STS=${url}\n`))
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

test('the first start with a given key prints endpoint and snippet, and no secret', async () => {
  await using folder = await temporaryFolder()
  const key = ['--root-access-key-id', 'AKIAGIVEN', '--root-secret-access-key', 'a-secret-of-my-own']
  {
    await using first = serveIn(folder.path, ...key)
    const url = await first.url()
    assert.ok(first.output().includes(`AWS_ENDPOINT_URL_STS=${url}\n  export AWS_ACCESS_KEY_ID=AKIAGIVEN\n`))
    assert.ok(!(first.output() + first.errors()).includes('a-secret-of-my-own'))
    first.signal('SIGTERM')
    assert.equal(await first.exit, 0)
  }
  await using second = serveIn(folder.path, ...key)
  const url = await second.url()
  assert.equal(second.output(), `Lading serves ${url}\n`)
})

test('a short root secret is warned of, and a long one is not', async () => {
  for (const [secret, warned] of [
    ['a-short-one', true],
    ['a-secret-of-twenty-ch', false],
  ] as const) {
    await using folder = await temporaryFolder()
    await using lading = serveIn(folder.path, '--root-access-key-id', 'AKIAX', '--root-secret-access-key', secret)
    await lading.url()
    lading.signal('SIGTERM')
    await lading.exit
    assert.equal(lading.errors().includes('the root secret access key is short'), warned)
    assert.ok(!lading.errors().includes(secret))
  }
})

for (const workers of ['1', '2']) {
  test(`a signal lets a running request end, then exits 0, with ${workers} worker(s)`, async () => {
    await using folder = await temporaryFolder()
    await using lading = serveIn(folder.path, '--workers', workers)
    const { connection, finish } = await unfinishedRequest(lading)
    await using _ = connection
    lading.signal('SIGINT')
    lading.signal('SIGINT')
    await lading.says(/"msg":"stopping"/)
    finish()
    await connection.closed
    assert.match(connection.received(), /HTTP\/1\.1 202 /)
    assert.equal(await lading.exit, 0)
    assert.match(lading.errors(), /"msg":"stopped"\}\n$/)
  })

  test(`a port that is taken ends the start with one line and without a key, with ${workers} worker(s)`, async () => {
    await using folder = await temporaryFolder()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' ? address?.port : undefined
    try {
      const refusal = await refusalOf([
        '--listen',
        `127.0.0.1:${port}`,
        '--data-dir',
        folder.path,
        '--workers',
        workers,
      ])
      const line = `lading: --listen is "127.0.0.1:${port}": expected a free address and port of this machine (`
      assert.equal(refusal.slice(0, line.length), line)
      assert.match(refusal.slice(line.length), /^(?:listen|bind) EADDRINUSE.*\)\n$/)
    } finally {
      taken.close()
    }
    await using next = serveIn(folder.path, '--workers', workers)
    await next.url()
    assert.match(next.output(), /AWS_SECRET_ACCESS_KEY=\S{40}$/m)
  })

  test(`all that it stores is for its user alone, with ${workers} worker(s)`, async () => {
    await using folder = await temporaryFolder()
    await chmod(folder.path, 0o755)
    await using lading = serveIn(folder.path, '--workers', workers)
    const { location, authorization } = await startUpload(lading)
    const uploaded = await fetch(location, { method: 'PATCH', headers: { authorization }, body: 'bytes' })
    assert.equal(uploaded.status, 202)
    const stored = await readdir(folder.path, { recursive: true })
    const modes = await Promise.all(stored.map(async (name) => (await stat(join(folder.path, name))).mode & 0o077))
    assert.ok(stored.some((name) => name.startsWith('blobs/drafts/')))
    assert.deepEqual(
      stored.filter((_, index) => modes[index] !== 0),
      [],
    )
  })
}

test('a later signal exits at once', async () => {
  await using folder = await temporaryFolder()
  await using lading = serveIn(folder.path)
  const { connection } = await unfinishedRequest(lading)
  await using _ = connection
  const repeated = setInterval(() => lading.signal('SIGTERM'), 100)
  assert.equal(await lading.exit.finally(() => clearInterval(repeated)), 1)
  await connection.closed
})

test('workers that die are replaced, and no connection is refused meanwhile', async () => {
  await using folder = await temporaryFolder()
  await using lading = serveIn(folder.path, '--workers', '2')
  const url = await lading.url()
  const answering = () => [...lading.errors().matchAll(/"pid":(\d+),"requestId":"[^"]*",.*"path":"\/before"/g)]
  const workers = () => [...new Set(answering().map(([, pid]) => Number(pid)))]
  while (workers().length < 2) {
    assert.equal((await fetch(`${url}/before`, { headers: { connection: 'close' } })).status, 404)
  }
  for (const worker of workers()) {
    assert.notEqual(worker, lading.pid)
    process.kill(worker, 'SIGKILL')
  }
  assert.equal((await fetch(`${url}/livez`)).status, 200)
  await lading.says(/"worker":\d+,"code":null,"signal":"SIGKILL",.*"msg":"a worker ended; starting another"/)
  lading.signal('SIGTERM')
  assert.equal(await lading.exit, 0)
})

test('a bad or unknown flag ends the start with one line that shows no secret', async () => {
  assert.equal(await refusalOf(['--workers', '0']), 'lading: --workers is "0": expected a whole number from 1 to 64\n')
  assert.match(
    await refusalOf(['--root-secret=hush']),
    /^lading: --root-secret is no setting: expected one of (?!.*hush).*\n$/,
  )
  assert.match(await refusalOf(['--root-secret-access-key', 'hush']), /^lading: .* is not shown: (?!.*hush).*\n$/)
  assert.match(await refusalOf(['--root-secret-access-key=', 'hush']), /^lading: a word stands alone: (?!.*hush).*\n$/)
  assert.match(await refusalOf(['-hush']), /^lading: a flag is no setting: (?!.*hush).*\n$/)
})

test('what cannot be opened ends the start with one line that names the setting', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'file')
  await writeFile(file, 'not a database, but as long as the head of one would be'.repeat(20))
  const free = ['--listen', '127.0.0.1:0']
  const line = async (...flags: string[]) => (await refusalOf([...free, ...flags])).replaceAll(file, '<file>')
  assert.equal(
    await line('--data-dir', file),
    'lading: LADING_DATABASE is "sqlite:<file>/lading.db" by --data-dir: expected a database that can be opened and written ' +
      "(EEXIST: file already exists, mkdir '<file>')\n",
  )
  assert.equal(
    await line('--database', `sqlite:${file}`),
    'lading: --database is "sqlite:<file>": expected a database that can be opened and written (file is not a database)\n',
  )
  assert.equal(
    await line('--data-dir', folder.path, '--blobs', `file:${file}`),
    'lading: --blobs is "file:<file>": expected a folder that can be opened and written ' +
      "(ENOTDIR: not a directory, stat '<file>/sha256')\n",
  )
})

test('an empty database over the blobs of another one ends the start with one line, unless the operator allows it', async () => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  const flags = ['--listen', '127.0.0.1:0', '--data-dir', other.path, '--blobs', `file:${folder.path}/blobs`]
  {
    await using first = serveIn(folder.path)
    await first.url()
    first.signal('SIGTERM')
    await first.exit
  }
  assert.equal(
    await refusalOf(flags),
    `lading: --blobs is "file:${folder.path}/blobs": expected a folder that can be opened and written ` +
      '(it belongs to another database, and this one is empty; LADING_FOREIGN_BLOBS=allow serves nonetheless)\n',
  )
  await using allowed = startServeProcess([...flags, '--foreign-blobs', 'allow'])
  await allowed.url()
  await allowed.says(/the folder of blobs belongs to another database/)
})

test('a PostgreSQL that does not let it in ends the start with one line without the password', async () => {
  const url = new URL(await postgresUrl())
  const refusal = async () => refusalOf(['--listen', '127.0.0.1:0', '--database', url.href])
  const line = (shown: string, reason: string) =>
    `lading: --database is "postgres://…@${url.host}${shown}": expected a database that can be opened and written (${reason})\n`
  url.searchParams.set('sslmode', 'verify-full')
  assert.equal(await refusal(), line(`${url.pathname}?…`, 'The server does not support SSL connections'))
  url.search = ''
  url.pathname = '/nowhere'
  assert.equal(await refusal(), line('/nowhere', 'database "nowhere" does not exist'))
  url.port = '1'
  assert.equal(await refusal(), line('/nowhere', 'connect ECONNREFUSED 127.0.0.1:1'))
})
