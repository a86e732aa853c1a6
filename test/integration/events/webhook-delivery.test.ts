/** What a receiver gets: every event at least once, in order for each repository, and signed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'
import type { Received } from '#test/support/webhooks/receiver.ts'
import { openStage, quickWaits, registry } from '#test/support/webhooks/stage.ts'

const repositoryOf = ({ event }: Received) => String(event.detail['repository-name'])
const numbersOf = (messages: readonly Received[], repository: string) =>
  messages.filter((message) => repositoryOf(message) === repository).map(({ event }) => event.detail.n)

/** Without what came again. */
const first = (numbers: readonly unknown[]) => [...new Set(numbers)]

eachDatabase((databases) =>
  describe(`webhooks deliver on ${databases.dialect}`, () => {
    test('the envelope of EventBridge, signed, with the id of the event', async (t) => {
      await using stage = openStage({ metadata: await databases.open(t) })
      const { receiver, publish, service } = stage
      const it = await receiver('hook')
      const [published] = await publish('team/app')
      await until(() => it.accepted.length > 0)
      const [message = assert.fail('nothing came')] = it.accepted
      assert.deepEqual(message.event, published?.envelope)
      assert.equal(message.id, published?.envelope.id)
      assert.equal(message.headers['content-type'], 'application/json')
      assert.equal(message.headers['user-agent'], 'lading-webhooks')
      await until(async () => {
        const hook = await service.webhooks.get(registry, 'hook')
        return hook.deliveredAt !== undefined && (await service.deliveries.count([hook.id])).size === 0
      })
    })

    test('only events that match the pattern, of its own account and region', async (t) => {
      await using stage = openStage({ metadata: await databases.open(t) })
      const { receiver, publish } = stage
      const all = await receiver('all')
      const some = await receiver('some', '{"detail":{"repository-name":[{"prefix":"team/"}]}}')
      await publish('team/app', 'other/app', 'team/web')
      await until(() => all.accepted.length === 3 && some.accepted.length === 2)
      assert.deepEqual(some.accepted.map(repositoryOf).sort(), ['team/app', 'team/web'])
    })

    test('a pattern that this version cannot read holds up no other webhook', async (t) => {
      const errors: unknown[] = []
      const onError = (error: unknown) => void errors.push(error)
      await using stage = openStage({ metadata: await databases.open(t), parts: { onError } })
      const { receiver, publish, metadata } = stage
      const broken = await receiver('broken')
      const other = await receiver('other')
      await metadata.transaction((trx) =>
        trx.updateTable('webhook').set({ pattern: '{"a":[{"later":1}]}' }).where('name', '=', 'broken').execute(),
      )
      await publish('team/app')
      await publish('team/app')
      await until(() => other.accepted.length === 2)
      assert.equal(broken.received.length, 0)
      assert.equal(errors.length, 1)
    })

    test('everything, in order for each repository, to a receiver that fails half of the time', async (t) => {
      await using stage = openStage({ metadata: await databases.open(t) })
      const { receiver, publish } = stage
      const it = await receiver('hook')
      let random = 1
      it.answer = () => {
        random = (random * 48_271) % 2_147_483_647
        return random % 2 === 0 ? 503 : 204
      }
      const repositories = Array.from({ length: 20 }, (_, index) => `team/app-${index}`)
      for (let round = 0; round < 15; round++) await publish(...repositories)
      await until(() => new Set(it.accepted.map(({ id }) => id)).size === 300)
      assert.ok(it.received.length > 400)
      for (const repository of repositories) {
        assert.deepEqual(
          numbersOf(it.accepted, repository),
          Array.from({ length: 15 }, (_, n) => n + 1),
        )
      }
    })

    test('other repositories while one fails, and that one in order afterwards', async (t) => {
      await using stage = openStage({ metadata: await databases.open(t) })
      const { receiver, publish } = stage
      const it = await receiver('hook')
      it.answer = (message) => (repositoryOf(message) === 'bad' ? 500 : 200)
      await publish('bad', 'good', 'bad', 'good', 'bad')
      await until(() => numbersOf(it.accepted, 'good').length === 2 && it.received.length > 6)
      assert.deepEqual(first(numbersOf(it.received, 'bad')), [1])
      it.answer = () => 200
      await until(() => numbersOf(it.accepted, 'bad').length === 3)
      assert.deepEqual(numbersOf(it.accepted, 'bad'), [1, 2, 3])
    })

    test('a fast receiver beside six that never answer, which want more sockets than an account shares', async (t) => {
      await using stage = openStage({ metadata: await databases.open(t), waits: { ...quickWaits, timeoutMs: 3_000 } })
      const { receiver, publish } = stage
      const repositories = Array.from({ length: 30 }, (_, index) => `app-${index}`)
      const slow = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => receiver(name)))
      for (const each of slow) each.answer = () => undefined
      await publish(...repositories)
      const asked = () => slow.reduce((sum, { received }) => sum + received.length, 0)
      await until(() => asked() >= 32 + slow.length)
      const fast = await receiver('fast')
      const startedAt = performance.now()
      await publish(...repositories)
      await until(() => fast.accepted.length === 30)
      assert.ok(performance.now() - startedAt < 2_500, 'it waited for the slow ones')
      assert.ok(asked() <= 32 + slow.length, `${asked()} sockets`)
      const [first] = slow
      await until(() => (first?.received.length ?? 0) > 16)
      for (const each of slow) each.answer = () => 200
      await until(() => new Set(first?.accepted.map(({ id }) => id)).size === 60)
    })
  }),
)
