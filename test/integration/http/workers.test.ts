/** Workers behind one listening socket: the socket outlives them, and one that stops answering is replaced. */
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openRawConnection } from '#test/support/raw-connection.ts'
import { type ServeProcess, startProcess } from '#test/support/serve-process.ts'
import { until } from '#test/support/until.ts'

let primary: ServeProcess
let port: number

before(async () => {
  primary = startProcess([process.execPath, fileURLToPath(new URL('workers-child.ts', import.meta.url))])
  port = Number((await primary.says(/^serves (\d+)$/m))[1])
  await bothPids()
})
after(() => primary[Symbol.asyncDispose]())

/** The body of an answer, by a connection of its own. Rejects where the connection is refused or breaks. */
function ask(path: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host, port, path, agent: false }, (response) => {
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

test('a signal ends all', async () => {
  primary.signal('SIGTERM')
  assert.equal(await primary.exit, 0)
  await assert.rejects(ask('/pid'), { code: 'ECONNREFUSED' })
})
