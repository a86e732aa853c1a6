/** The publisher gives each committed event one number, in the order of commits of its repository. Several processes may publish. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NewEvent, PublishedEvent } from '#events/event.ts'
import { createEventPublisher, type EventPublisherParts } from '#events/publisher.ts'
import { recordEvents } from '#events/record.ts'
import { createEventRetention } from '#events/retention.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'

const day = 86_400_000
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const region = parseRegion('eu-west-1')

function event(n: number, options: { account?: string; key?: string; at?: number } = {}): NewEvent {
  const { account = '111111111111', key = 'app', at = now } = options
  return {
    ...{ account: parseAccountId(account), region, source: 'aws.ecr', detailType: 'ECR Image Action', resources: [] },
    ...{ detail: { n }, at, orderKey: `${account}/${region}/${key}` },
  }
}

const record = (metadata: Metadata, ...events: NewEvent[]) => metadata.transaction((trx) => recordEvents(trx, events))

const rows = (metadata: Metadata) =>
  metadata.reader.selectFrom('event').select(['id', 'account', 'sequence', 'detail']).orderBy('id').execute()

eachDatabase((databases) =>
  describe(`the publisher of events on ${databases.dialect}`, () => {
    function publisher(metadata: Metadata, parts: Partial<EventPublisherParts> = {}) {
      const onError = (error: unknown) => assert.fail(String(error))
      return createEventPublisher({ metadata, fanOut: async () => {}, onError, pollMs: 5, ...parts })
    }

    const published = async (metadata: Metadata) => (await rows(metadata)).every(({ sequence }) => sequence !== null)

    test('hands over all events of one change that causes thousands', async (t) => {
      const metadata = await databases.open(t)
      // An image has at most 1,000 tags, and a call deletes 100 images.
      const events = Array.from({ length: 7_000 }, (_, n) => event(n))
      await record(metadata, ...events)
      const heard: unknown[] = []
      const one = publisher(metadata, {
        fanOut: async (_, those) => void heard.push(...those.map(({ envelope }) => envelope.detail.n)),
      })
      await one.start()
      await until(() => heard.length >= events.length)
      await one.stop()
      assert.deepEqual(
        heard,
        events.map(({ detail }) => detail.n),
      )
    })

    test('hands over fewer events at once while they take long', async (t) => {
      const metadata = await databases.open(t)
      await record(metadata, ...Array.from({ length: 600 }, (_, n) => event(n)))
      const counts: number[] = []
      const one = publisher(metadata, {
        async fanOut(_, those) {
          counts.push(those.length)
          for (const until = performance.now() + 3 * those.length; performance.now() < until; ) {}
        },
      })
      await one.start()
      await until(() => counts.reduce((sum, count) => sum + count, 0) >= 600)
      await one.stop()
      assert.ok(counts.length > 4 && Math.max(...counts.slice(4)) <= 25, counts.join())
    })

    test('hands over few large events at once, and all of them', async (t) => {
      const metadata = await databases.open(t)
      const text = 'x'.repeat(1024 * 1024)
      await record(metadata, ...Array.from({ length: 12 }, (_, n) => ({ ...event(n), detail: { n, text } })))
      const heard: number[][] = []
      const one = publisher(metadata, {
        fanOut: async (_, those) => void heard.push(those.map(({ envelope }) => Number(envelope.detail.n))),
      })
      await one.start()
      await until(() => heard.flat().length >= 12)
      await one.stop()
      assert.deepEqual(heard.flat(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
      assert.ok(
        heard.every(({ length }) => length <= 4),
        JSON.stringify(heard),
      )
    })

    test('hands over each event once, in the order of the keys, with the envelope of EventBridge', async (t) => {
      const metadata = await databases.open(t)
      await record(metadata, ...Array.from({ length: 450 }, (_, n) => event(n)))
      const heard: PublishedEvent[] = []
      const one = publisher(metadata, { fanOut: async (_, those) => void heard.push(...those) })
      await one.start()
      await until(() => heard.length >= 450)
      await record(metadata, event(450))
      await until(() => heard.length > 450)
      await one.stop()
      assert.deepEqual(
        heard.map(({ sequence }) => sequence),
        Array.from({ length: 451 }, (_, n) => n + 1),
      )
      assert.deepEqual(
        heard.map(({ envelope }) => envelope.detail.n),
        Array.from({ length: 451 }, (_, n) => n),
      )
      const [{ envelope, ...place } = assert.fail('nothing was published')] = heard
      assert.deepEqual(place, { sequence: 1, account: '111111111111', region, orderKey: `111111111111/${region}/app` })
      assert.match(envelope.id, /^[0-9a-f-]{36}$/)
      assert.deepEqual(envelope, {
        ...{ version: '0', id: envelope.id, 'detail-type': 'ECR Image Action', source: 'aws.ecr' },
        ...{ account: '111111111111', time: '2026-01-02T03:04:05Z', region, resources: [], detail: { n: 0 } },
      })
    })

    test('a transaction that is rolled back leaves no event', async (t) => {
      const metadata = await databases.open(t)
      const failing = metadata.transaction(async (trx) => {
        await recordEvents(trx, [event(0), event(1)])
        throw new Error('rolled back')
      })
      await assert.rejects(failing, /rolled back/)
      assert.deepEqual(await rows(metadata), [])
    })

    test('an event that is committed later gets a later number, though its key is lower', async (t) => {
      const metadata = await databases.open(t)
      if (databases.dialect === 'sqlite') return t.skip('SQLite runs one transaction at a time')
      const one = publisher(metadata)
      const { promise: wait, resolve: end } = Promise.withResolvers<void>()
      const begun = Promise.withResolvers<void>()
      const slow = metadata.transaction(async (trx) => {
        await recordEvents(trx, [event(0, { key: 'slow' })])
        begun.resolve()
        await wait
      })
      await begun.promise
      await record(metadata, event(1, { key: 'quick' }))
      await one.start()
      await until(async () => (await rows(metadata))[0]?.sequence === 1)
      end()
      await slow
      await until(async () => (await rows(metadata)).length === 2 && (await published(metadata)))
      await one.stop()
      const found = await rows(metadata)
      assert.deepEqual(
        found.map(({ detail, sequence }) => [detail, sequence]),
        [
          ['{"n":0}', 2],
          ['{"n":1}', 1],
        ],
      )
    })

    test('of several processes one at a time publishes, and each event is handed over once', async (t) => {
      const url = await databases.url()
      const [first, second] = [await databases.open(t, url), await databases.open(t, url)]
      const heard: PublishedEvent[] = []
      const fanOut = async (_: unknown, those: readonly PublishedEvent[]) => void heard.push(...those)
      const both = [publisher(first, { fanOut, pollMs: 1 }), publisher(second, { fanOut, pollMs: 1 })]
      for (const each of both) await each.start()
      for (let n = 0; n < 300; n += 3) await record(first, event(n), event(n + 1), event(n + 2))
      await until(() => published(first))
      for (const each of both) await each.stop()
      assert.deepEqual(
        heard.map(({ sequence, envelope }) => [sequence, envelope.detail.n]),
        Array.from({ length: 300 }, (_, n) => [n + 1, n]),
      )
    })

    test('an event waits while its rows for receivers cannot be written, and is published later', async (t) => {
      const metadata = await databases.open(t)
      const errors: unknown[] = []
      const heard: PublishedEvent[] = []
      const one = publisher(metadata, {
        onError: (error) => errors.push(error),
        fanOut: async (_, those) => {
          if (errors.length < 3) throw new Error('no room')
          heard.push(...those)
        },
      })
      await record(metadata, event(0))
      await one.start()
      await until(() => heard.length > 0)
      await one.stop()
      assert.equal(errors.length, 3)
      assert.deepEqual(
        heard.map(({ sequence }) => sequence),
        [1],
      )
    })

    test('an account that causes many events makes room for them among its own', async (t) => {
      const metadata = await databases.open(t)
      await record(metadata, event(0, { account: '222222222222' }))
      await record(metadata, ...Array.from({ length: 350 }, (_, n) => event(n)))
      const one = publisher(metadata, { limits: { events: 20, bytes: 1e9 } })
      await one.start()
      await until(() => published(metadata))
      await one.stop()
      const kept = await rows(metadata)
      assert.deepEqual(
        kept.map(({ account, sequence }) => [account, sequence]),
        [['222222222222', 1], ...Array.from({ length: 20 }, (_, n) => ['111111111111', 332 + n])],
      )
      const usage = await metadata.reader
        .selectFrom('event_usage')
        .select(['account', 'events'])
        .orderBy('account')
        .execute()
      assert.deepEqual(usage, [
        { account: '111111111111', events: 20 },
        { account: '222222222222', events: 1 },
      ])
    })

    test('an event goes a day after it happened, unless it waits', async (t) => {
      const metadata = await databases.open(t)
      const old = Array.from({ length: 600 }, (_, n) => event(n, { at: now - day - 1 }))
      await record(metadata, ...old, event(600, { at: now - day }))
      const one = publisher(metadata)
      await one.start()
      await until(() => published(metadata))
      await one.stop()
      await record(metadata, event(601, { at: now - 2 * day }))
      const { work } = createEventRetention({ metadata, clock: () => now })
      assert.equal(await work({}, { signal: AbortSignal.timeout(60_000) }), 'done')
      assert.deepEqual(
        (await rows(metadata)).map(({ detail }) => detail),
        ['{"n":600}', '{"n":601}'],
      )
    })
  }),
)
