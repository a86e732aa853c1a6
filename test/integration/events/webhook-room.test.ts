/** What a webhook keeps for a receiver that is down is bounded, and what it keeps is counted. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { WebhookLimits } from '#events/webhooks/room.ts'
import { readCounters } from '#jobs/counters.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'
import { openStage, quickWaits, registry } from '#test/support/webhooks/stage.ts'

const hour = 3_600_000
const mebibyte = 1024 * 1024
const large = { events: 1_000, bytes: mebibyte, accountBytes: mebibyte }

eachDatabase((databases) =>
  describe(`what webhooks keep on ${databases.dialect}`, () => {
    async function open(t: TestContext, limits: Partial<WebhookLimits>, waits: object = quickWaits) {
      let ahead = 0
      const metadata = await databases.open(t)
      const parts = { limits: { ...large, ...limits } }
      const stage = openStage({ metadata, parts, waits: { ...quickWaits, ...waits }, clock: () => Date.now() + ahead })
      const { service } = stage
      /** Compares the counts with the rows, as they are in one moment. */
      const kept = async () => {
        const row = await metadata.reader
          .selectFrom('webhook')
          .leftJoin('webhook_delivery', 'webhook_delivery.webhook_id', 'webhook.id')
          .select(({ fn }) => [
            ...(['webhook.kept_events as events', 'webhook.kept_bytes as bytes'] as const),
            fn.count('webhook_delivery.sequence').as('rows'),
            fn.sum('webhook_delivery.bytes').as('size'),
          ])
          .where('webhook.name', '=', 'hook')
          .groupBy(['webhook.id', 'webhook.kept_events', 'webhook.kept_bytes'])
          .executeTakeFirstOrThrow()
        const { events, bytes } = row
        assert.deepEqual({ events, bytes }, { events: Number(row.rows), bytes: Number(row.size ?? 0) })
        return events
      }
      const failure = async (name: string) => (await service.webhooks.get(registry, name)).failure?.reason
      const pass = (ms: number) => {
        ahead += ms
      }
      return Object.assign(stage, { kept, failure, pass })
    }

    test('no more events than its limit wait, and new ones come once the receiver is back', async (t) => {
      await using stage = await open(t, { events: 5 })
      const { receiver, publish, kept, metadata } = stage
      const it = await receiver('hook')
      it.answer = () => 503
      for (let round = 0; round < 4; round++) await publish('app', 'web')
      assert.equal(await kept(), 5)
      it.answer = () => 204
      await until(async () => it.accepted.length === 5 && (await kept()) === 0)
      const numbers = it.accepted.filter(({ event }) => event.detail['repository-name'] === 'app')
      assert.deepEqual(
        numbers.map(({ event }) => event.detail.n),
        [1, 2, 3],
      )
      await publish('app')
      await until(() => it.accepted.length === 6)
      assert.equal((await readCounters(metadata.reader)).get('lading_webhook_left_out_total'), 3)
    })

    test('dead events make room for new ones', async (t) => {
      await using stage = await open(t, { events: 3 }, { retryMs: () => hour })
      const { receiver, publish, kept, pass, service } = stage
      const it = await receiver('hook')
      it.answer = () => 503
      await publish('app', 'app', 'app')
      await until(() => it.received.length === 1)
      pass(25 * hour)
      const webhook = await service.webhooks.get(registry, 'hook')
      const count = async () => (await service.deliveries.count([webhook.id])).get(webhook.id)
      await until(async () => (await count())?.dead === 3)
      await publish('app', 'app')
      assert.deepEqual(await count(), { waiting: 2, dead: 1 })
      await service.deliveries.redeliver(webhook, undefined)
      assert.equal(await kept(), 3)
      it.answer = () => 204
      await until(async () => {
        // What failed a moment ago is due again.
        await service.webhooks.update(registry, 'hook', { enabled: true })
        return (await kept()) === 0
      })
    })

    test('webhooks of an account that keeps too much have equal parts of it', async (t) => {
      await using stage = await open(t, { accountBytes: 10_000 })
      const { receiver, publish, service, failure } = stage
      const it = await receiver('hook')
      it.answer = () => 503
      for (let round = 0; round < 20; round++) await publish('app')
      const other = await receiver('other')
      other.answer = () => 503
      for (let round = 0; round < 10; round++) await publish('app')
      const ids = await Promise.all(
        ['hook', 'other'].map(async (name) => (await service.webhooks.get(registry, name)).id),
      )
      const counts = await service.deliveries.count(ids)
      const [first = 0, second = 0] = ids.map((id) => counts.get(id)?.waiting)
      assert.ok(first > 10 && first < 20, `${first} wait`)
      assert.ok(second > 3 && second < 10, `${second} wait`)
      assert.notEqual(await failure('other'), undefined)
    })
  }),
)
