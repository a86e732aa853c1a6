/** Two processes deliver, and the test kills one after the other at any moment. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Databases } from '#test/support/databases.ts'
import { startProcess } from '#test/support/serve-process.ts'
import { until } from '#test/support/until.ts'
import { openStage } from './stage.ts'

const program = fileURLToPath(new URL('./child.ts', import.meta.url))
const repositories = Array.from({ length: 12 }, (_, index) => `team/app-${index}`)

/** A lane waits for the commit of each delivery. So a kill repeats at most the messages that are on their way. */
const mostRepeated = 16

export async function deliverWhileKilled(t: TestContext, databases: Databases, kills: number): Promise<void> {
  const url = await databases.url()
  const metadata = await databases.open(t, url)
  await using stage = openStage({ metadata, delivers: false })
  const it = await stage.receiver('hook')
  it.answer = () => (it.received.length % 5 === 0 ? 500 : 200)
  const start = () => startProcess([process.execPath, program, url])
  const children = [start(), start()]
  t.after(() => Promise.all(children.map((child) => child[Symbol.asyncDispose]())))
  await Promise.all(children.map((child) => child.says(/^ready$/m)))

  let published = 0
  for (let kill = 0; kill < kills; kill++) {
    for (let round = 0; round < 5; round++) await stage.publish(...repositories)
    published += 5
    await delay(20 + Math.random() * 200)
    const at = kill % children.length
    children[at]?.signal('SIGKILL')
    children[at] = start()
    await children[at]?.says(/^ready$/m)
  }
  await until(() => new Set(it.accepted.map(({ id }) => id)).size === published * repositories.length)

  const last = new Map<string, number>()
  let repeated = 0
  for (const { event } of it.accepted) {
    const name = String(event.detail['repository-name'])
    const [n, before] = [Number(event.detail.n), last.get(name) ?? 0]
    assert.ok(n === before || n === before + 1, `${name}: ${n} came after ${before}`)
    if (n === before) repeated++
    last.set(name, n)
  }
  assert.deepEqual(new Set(last.values()), new Set([published]))
  assert.ok(repeated <= kills * mostRepeated, `${repeated} came again`)
  t.diagnostic(`${it.accepted.length} deliveries, ${repeated} of them again after ${kills} kills`)
}
