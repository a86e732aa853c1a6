/**
 * Ten thousand events of two hundred repositories to a receiver that fails half of the time, and processes that are killed.
 * `LADING_TEST_WEBHOOK_EVENTS` is how many events there are, `LADING_TEST_WEBHOOK_KILLS` how many kills.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { deliverWhileKilled } from '#test/support/webhooks/killed.ts'
import { openStage, quickWaits } from '#test/support/webhooks/stage.ts'

const events = Number(process.env.LADING_TEST_WEBHOOK_EVENTS ?? 10_000)
const kills = Number(process.env.LADING_TEST_WEBHOOK_KILLS ?? 20)
const repositories = Array.from({ length: 200 }, (_, index) => `team/app-${index}`)
const rounds = events / repositories.length

eachDatabase((databases) => {
  test(`${events} events arrive at a receiver that fails half of the time, in order, on ${databases.dialect}`, async (t) => {
    await using stage = openStage({ metadata: await databases.open(t), waits: { ...quickWaits, pollMs: 100 } })
    const it = await stage.receiver('hook')
    let random = 1
    it.answer = () => {
      random = (random * 48_271) % 2_147_483_647
      return random % 2 === 0 ? 503 : 204
    }
    const startedAt = performance.now()
    const used = process.cpuUsage()
    for (let round = 0; round < rounds; round++) await stage.publish(...repositories)
    while (it.accepted.length < events && performance.now() - startedAt < 120_000) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const seconds = (performance.now() - startedAt) / 1_000
    const { user, system } = process.cpuUsage(used)
    const processorSeconds = (user + system) / 1_000_000
    t.diagnostic(
      `${it.received.length} attempts in ${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} s of the processor, receiver included`,
    )
    const numbers = Map.groupBy(it.accepted, ({ event }) => String(event.detail['repository-name']))
    assert.equal(numbers.size, repositories.length)
    for (const [repository, messages] of numbers) {
      const inOrder = Array.from({ length: rounds }, (_, n) => n + 1)
      assert.deepEqual(
        messages.map(({ event }) => event.detail.n),
        inOrder,
        repository,
      )
    }
    assert.ok(it.received.length > 1.8 * events)
    // A machine with other work has another number of seconds.
    assert.ok(processorSeconds < 50, `${processorSeconds} s`)
  })

  test(`${kills} kills lose no event and change no order, on ${databases.dialect}`, async (t) => {
    await deliverWhileKilled(t, databases, kills)
  })
})
