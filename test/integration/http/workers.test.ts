/** Workers behind one listening socket: the socket outlives them, and one that stops answering is replaced. */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openRawConnection } from '#test/support/raw-connection.ts'
import { type ServeProcess, startProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

let primary: ServeProcess
let port: number

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let hold: string

function startPrimary(startSeconds: number, scheme = 'http'): ServeProcess {
  const child = fileURLToPath(new URL('workers-child.ts', import.meta.url))
  return startProcess([process.execPath, child, String(startSeconds), hold, scheme])
}

const portOf = async (started: ServeProcess) => Number((await started.says(/^serves (\d+)$/m))[1])

before(async () => {
  folder = await temporaryFolder()
  hold = join(folder.path, 'hold')
  primary = startPrimary(5)
  port = await portOf(primary)
  await bothPids()
})
after(async () => {
  await primary[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** The body of an answer, by a connection of its own. Rejects where the connection is refused or breaks. */
function ask(path: string, at: { readonly port?: number } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, ...at, path, agent: false }, (response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve(body)).on('error', reject)
    }).on('error', reject)
  })
}

/** Both, asked until both have answered: a worker that is slow to take a connection gets fewer. */
async function bothPids(): Promise<Set<number>> {
  let found = new Set<number>()
  await until(async () => {
    found = await pids(8)
    return found.size === 2
  })
  return found
}

async function pids(connections: number): Promise<Set<number>> {
  return new Set((await Promise.all(Array.from({ length: connections }, () => ask('/pid')))).map(Number))
}

test('both workers serve', async () => {
  const served = await Promise.all(Array.from({ length: 40 }, () => ask('/pid')))
  const [first] = served
  const share = served.filter((pid) => pid === first).length
  assert.ok(share >= 4 && share <= 36, `${share} of 40`)
})

test('a worker closes a connection that sends no request in time', { timeout: 20_000 }, async () => {
  await using silent = await openRawConnection(port)
  await silent.closed
})

test('a worker that is busy for some seconds is not killed', async () => {
  const known = await bothPids()
  const busy = Number(await ask('/block/2000'))
  assert.ok(known.has(busy))
  assert.deepEqual(await bothPids(), known)
})

test('a worker in an endless loop is killed and replaced, and connections that came meanwhile are served', async () => {
  const known = await bothPids()
  const blocked = assert.rejects(ask('/block/600000'))
  const [, blockedPid] = await primary.says(/^(\d+) blocks for 600000$/m)
  // Some of these are on their way to the worker that takes no more.
  const meanwhile = await pids(40)
  assert.ok(!meanwhile.has(Number(blockedPid)))
  await blocked
  await primary.says(/a worker stopped answering, and is killed/)
  await until(async () => {
    const now = await pids(8)
    return now.size === 2 && now.intersection(known).size === 1
  })
})

test('when all workers end at once, no connection is refused, and all are served by the next ones', async () => {
  const known = await bothPids()
  for (const pid of known) process.kill(pid, 'SIGKILL')
  const served = await pids(40)
  assert.equal(served.intersection(known).size, 0)
})

test('a worker that does not start is killed and replaced', async () => {
  const [victim = 0] = await bothPids()
  await writeFile(hold, '')
  process.kill(victim, 'SIGKILL')
  await primary.says(/a worker did not start, and is killed/)
  await rm(hold)
  await bothPids()
})

test('a signal ends all, also a worker that starts or that was killed with a connection on its way', async () => {
  await using other = startPrimary(600)
  const otherPort = await portOf(other)
  const pidOf = async () => Number(await ask('/pid', { port: otherPort }))
  const victim = await pidOf()
  process.kill(victim, 'SIGSTOP')
  const waiting = Promise.allSettled(Array.from({ length: 8 }, pidOf))
  await writeFile(hold, '')
  await setTimeout(200)
  process.kill(victim, 'SIGKILL')
  await other.says(/is held/)
  other.signal('SIGTERM')
  assert.equal(await other.exit, 0)
  await rm(hold)
  await waiting
})

test('by TLS, a connection that its client ends before the handshake is closed', async () => {
  await using other = startPrimary(600, 'tls')
  const otherPort = await portOf(other)
  for (const sent of ['', '\u0016\u0003\u0001']) {
    await using connection = await openRawConnection(otherPort)
    connection.socket.end(sent, 'latin1')
    await connection.closed
  }
})

test('after a signal no connection is accepted', async () => {
  primary.signal('SIGTERM')
  assert.equal(await primary.exit, 0)
  await assert.rejects(ask('/pid'), { code: 'ECONNREFUSED' })
})
