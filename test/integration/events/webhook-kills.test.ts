/** Several processes deliver. One at a time does so for a webhook, and what a killed one leaves another one delivers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'
import { deliverWhileKilled } from '#test/support/webhooks/killed.ts'
import { openStage, quickWaits, registry } from '#test/support/webhooks/stage.ts'

eachDatabase((databases) => {
  test(`processes that are killed lose nothing and change no order, on ${databases.dialect}`, async (t) => {
    await deliverWhileKilled(t, databases, 4)
  })

  test(`a process that lost its lease to another one writes nothing, on ${databases.dialect}`, async (t) => {
    let now = Date.now()
    const metadata = await databases.open(t)
    const clock = () => now
    const waits = { ...quickWaits, timeoutMs: 30_000 }
    await using stalled = openStage({ metadata, clock, waits })
    const it = await stalled.receiver('hook')
    const asked: (() => void)[] = []
    it.answer = () => new Promise((resolve) => asked.push(() => resolve(200)))
    await stalled.publish('app')
    await until(() => asked.length === 1)
    // Its timer has not renewed the lease, as that of a process that stands still.
    now += 31_000
    await using second = openStage({ metadata, clock, waits })
    await until(() => asked.length === 2)
    asked[0]?.()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const webhook = await second.service.webhooks.get(registry, 'hook')
    assert.deepEqual((await second.service.deliveries.count([webhook.id])).get(webhook.id), { waiting: 1, dead: 0 })
    asked[1]?.()
    await until(async () => (await second.service.deliveries.count([webhook.id])).size === 0)
  })
})
