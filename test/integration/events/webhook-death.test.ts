/** What happens to events that do not arrive: retries for a day, then death, and redelivery. The test moves the clock. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDeliveryExpiry } from '#events/webhooks/expiry.ts'
import { Refusal } from '#lib/refusal.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'
import { openStage, registry, type WebhookStage } from '#test/support/webhooks/stage.ts'

const hour = 3_600_000
const day = 24 * hour

async function statesOf({ service }: WebhookStage, name = 'hook') {
  const webhook = await service.webhooks.get(registry, name)
  const { items } = await service.deliveries.list(webhook, { state: undefined, limit: 100, after: undefined })
  return items.map(({ eventId, state, attempts, lastStatus, lastError }) => ({
    ...{ eventId, state, attempts, lastStatus, lastError },
  }))
}

const countOf = async (stage: WebhookStage, state: string) =>
  (await statesOf(stage)).filter((each) => each.state === state).length

eachDatabase((databases) =>
  describe(`deliveries that fail on ${databases.dialect}`, () => {
    async function open(t: Parameters<typeof databases.open>[0], retryMs = hour) {
      let now = Date.now()
      const waits = { pollMs: 5, retryMs: () => retryMs, timeoutMs: 1_000 }
      const metadata = await databases.open(t)
      const stage = openStage({ metadata, clock: () => now, waits })
      const pass = (ms: number) => {
        now += ms
      }
      return Object.assign(stage, { pass, clock: () => now })
    }

    test('are tried for a day, die with those that waited as long behind them, and go out again on request', async (t) => {
      await using stage = await open(t)
      const it = await stage.receiver('hook')
      it.answer = () => 503
      const [first, second] = await stage.publish('app', 'app')
      await until(() => it.received.length === 1)
      await until(async () => (await statesOf(stage))[0]?.attempts === 1)
      stage.pass(day - hour)
      await until(() => it.received.length === 2)
      await until(async () => (await statesOf(stage))[0]?.attempts === 2)
      const [late] = await stage.publish('app')
      assert.equal(await countOf(stage, 'dead'), 0)
      stage.pass(hour)
      await until(async () => (await countOf(stage, 'dead')) === 2)
      assert.deepEqual(await statesOf(stage), [
        { eventId: first?.envelope.id, state: 'dead', attempts: 3, lastStatus: 503, lastError: 'it answers 503' },
        { eventId: second?.envelope.id, state: 'dead', attempts: 0, lastStatus: 503, lastError: 'it answers 503' },
        { eventId: late?.envelope.id, state: 'waiting', attempts: 0, lastStatus: undefined, lastError: undefined },
      ])
      assert.deepEqual(stage.dead, [{ count: 2, reason: 'it answers 503' }])
      assert.deepEqual(
        it.received.map(({ id }) => id),
        Array(3).fill(first?.envelope.id),
      )

      it.answer = () => 200
      const webhook = await stage.service.webhooks.get(registry, 'hook')
      assert.equal(webhook.failure?.reason, 'it answers 503')
      assert.equal(await stage.service.deliveries.redeliver(webhook, undefined), 2)
      await until(() => it.accepted.length === 3)
      assert.deepEqual(
        it.accepted.map(({ event }) => event.detail.n),
        [1, 2, 3],
      )
      await until(async () => (await statesOf(stage)).length === 0)
      await assert.rejects(
        stage.service.deliveries.redeliver(webhook, first?.envelope.id),
        (error) => error instanceof Refusal && error.code === 'DeliveryNotFound',
      )
    })

    test('one dead event goes out again alone, and has another day', async (t) => {
      await using stage = await open(t)
      const it = await stage.receiver('hook')
      it.answer = () => 500
      const [first] = await stage.publish('app', 'web')
      await until(() => it.received.length === 2)
      stage.pass(day)
      await until(async () => (await countOf(stage, 'dead')) === 2)
      const webhook = await stage.service.webhooks.get(registry, 'hook')
      assert.equal(await stage.service.deliveries.redeliver(webhook, first?.envelope.id), 1)
      await until(async () =>
        (await statesOf(stage)).some(({ state, attempts }) => state === 'waiting' && attempts === 1),
      )
      assert.equal(await countOf(stage, 'dead'), 1)
      stage.pass(day - 1)
      await until(async () =>
        (await statesOf(stage)).some(({ attempts, state }) => state === 'waiting' && attempts === 2),
      )
    })

    test('a receiver that answers 410 disables its webhook, and gets what waits when it is enabled again', async (t) => {
      await using stage = await open(t)
      const it = await stage.receiver('hook')
      it.answer = () => 410
      await stage.publish('app', 'app')
      await until(async () => !(await stage.service.webhooks.get(registry, 'hook')).enabled)
      assert.deepEqual(
        (await statesOf(stage)).map(({ state, lastStatus }) => [state, lastStatus]),
        [
          ['dead', 410],
          ['waiting', undefined],
        ],
      )
      assert.equal((await stage.service.webhooks.get(registry, 'hook')).isGone, true)
      await stage.publish('app')
      assert.equal((await statesOf(stage)).length, 2, 'a disabled webhook gets nothing new')
      it.answer = () => 200
      const webhook = await stage.service.webhooks.update(registry, 'hook', { enabled: true })
      assert.equal(webhook.isGone, false)
      await until(() => it.accepted.length === 1)
      assert.equal(it.accepted[0]?.event.detail.n, 2)
    })

    test('another URL is asked at once', async (t) => {
      await using stage = await open(t)
      const [first, other] = [await stage.receiver('hook'), await stage.receiver('other', '{"source":["none"]}')]
      first.answer = () => 500
      await stage.publish('app')
      await until(async () => (await statesOf(stage))[0]?.attempts === 1)
      other.secrets = first.secrets
      await stage.service.webhooks.update(registry, 'hook', { url: other.url })
      await until(() => other.accepted.length === 1)
    })

    test('a receiver says how long it wants to be left alone', async (t) => {
      await using stage = await open(t, 1)
      const it = await stage.receiver('hook')
      it.answer = (_message, response) => {
        response.writeHead(429, { 'retry-after': '600' }).end()
        return undefined
      }
      await stage.publish('app')
      await until(async () => (await statesOf(stage))[0]?.attempts === 1)
      stage.pass(599_000)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(it.received.length, 1)
      it.answer = () => 200
      stage.pass(1_000)
      await until(() => it.accepted.length === 1)
    })

    test('what a disabled webhook did not deliver dies after a day, and is deleted after two weeks', async (t) => {
      await using stage = await open(t)
      const it = await stage.receiver('hook')
      it.answer = () => 500
      await stage.publish('app', 'app')
      await until(async () => (await statesOf(stage))[0]?.attempts === 1)
      await stage.service.webhooks.update(registry, 'hook', { enabled: false })
      const expiry = createDeliveryExpiry({ metadata: stage.metadata, clock: stage.clock })
      const run = () => expiry.work({}, { signal: new AbortController().signal })
      stage.pass(day - 1)
      await run()
      assert.equal(await countOf(stage, 'waiting'), 2)
      stage.pass(1)
      await run()
      assert.equal(await countOf(stage, 'dead'), 2)
      stage.pass(13 * day)
      await run()
      assert.equal((await statesOf(stage)).length, 0)
      assert.equal(it.received.length, 1)
    })

    test('a deleted webhook delivers nothing more and leaves no rows', async (t) => {
      await using stage = await open(t)
      const it = await stage.receiver('hook')
      it.answer = () => 500
      await stage.publish('app', 'web')
      await until(() => it.received.length === 2)
      await stage.service.webhooks.delete(registry, 'hook')
      stage.pass(day)
      await stage.publish('app')
      const left = [
        await stage.metadata.reader.selectFrom('webhook_delivery').select('sequence').execute(),
        await stage.metadata.reader.selectFrom('webhook_lane').select('order_key').execute(),
      ]
      assert.deepEqual(left, [[], []])
      assert.equal(it.received.length, 2)
    })
  }),
)
