/** `ListEvents`: pages in order and without gaps, filters, and bounds of one page. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import type { EventEnvelope, NewEvent } from '#events/event.ts'
import { createEventLog } from '#events/log.ts'
import { createEventPublisher } from '#events/publisher.ts'
import { recordEvents } from '#events/record.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { startServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }
const at = Date.now() - 60_000

function event(n: number, more: Partial<NewEvent> = {}): NewEvent {
  return {
    ...{ ...registry, source: 'aws.ecr', detailType: n % 2 === 0 ? 'Even' : 'Odd', resources: [], detail: { n } },
    ...{ at: at + n, orderKey: `000000000000/us-east-1/team/app-${n % 3}`, ...more },
  }
}

eachDatabase(({ dialect, url, open }) =>
  describe(`ListEvents (${dialect})`, () => {
    async function stage(t: TestContext) {
      const database = await url()
      const server = await startServer({ database })
      t.after(() => server.stop())
      const metadata = await openMetadata(database, () => {})
      t.after(() => metadata.close())
      const ask = async (input: object) => {
        const { status, body } = await callAdmin<wire.ListEventsResponse & { message?: string }>(
          ...([server, server.credentials, 'ListEvents', input] as const),
        )
        return { status, ...body, events: (body.events ?? []).map((each) => JSON.parse(each.event) as EventEnvelope) }
      }
      return {
        ask,
        async record(events: readonly NewEvent[]) {
          await metadata.transaction((trx) => recordEvents(trx, events))
          await until(async () => {
            const row = await metadata.reader
              .selectFrom('event')
              .select('id')
              .where('sequence', 'is', null)
              .executeTakeFirst()
            return row === undefined
          })
        },
        async all(input: object) {
          const found: unknown[] = []
          let nextToken: string | undefined
          do {
            const page = await ask({ ...input, nextToken })
            found.push(...page.events.filter(({ source }) => source === 'aws.ecr').map(({ detail }) => detail.n))
            nextToken = page.nextToken
          } while (nextToken !== undefined)
          return found.filter((n) => n !== undefined)
        },
      }
    }
    const numbers = (count: number, wanted: (n: number) => boolean = () => true) =>
      Array.from({ length: count }, (_, n) => n).filter(wanted)

    test('lists in the order of publication, in pages, by type, repository and time', async (t) => {
      const { record, all, ask } = await stage(t)
      await record(numbers(300).map((n) => event(n)))
      await record([
        event(300, { region: parseRegion('eu-north-1') }),
        event(301, { account: parseAccountId('111111111111') }),
      ])
      assert.deepEqual(await all({ maxResults: 7 }), numbers(300))
      assert.deepEqual(
        await all({ detailType: 'Odd', maxResults: 50 }),
        numbers(300, (n) => n % 2 === 1),
      )
      assert.deepEqual(
        await all({ repositoryName: 'team/app-1' }),
        numbers(300, (n) => n % 3 === 1),
      )
      assert.deepEqual(
        await all({ startTime: (at + 290) / 1_000 }),
        numbers(300, (n) => n >= 290),
      )
      const { followToken, events } = await ask({ startingPosition: 'LATEST' })
      assert.deepEqual(events, [])
      await record([event(302)])
      const later = await ask({ nextToken: followToken })
      assert.deepEqual(
        later.events.map(({ detail }) => detail.n).filter((n) => n !== undefined),
        [302],
      )
      assert.equal(later.nextToken, undefined)
    })

    test('refuses a token of another listing', async (t) => {
      const { ask } = await stage(t)
      const { followToken } = await ask({ detailType: 'Odd' })
      for (const input of [{ nextToken: followToken }, { nextToken: 'x' }]) {
        const { status, message } = await ask(input)
        assert.equal(status, 400)
        assert.match(message ?? '', /Invalid next token/)
      }
    })

    test('a page examines a bounded number of events, and its next one goes on there', async (t) => {
      const metadata = await open(t)
      await metadata.transaction((trx) =>
        recordEvents(
          trx,
          numbers(5_100).map((n) => event(n)),
        ),
      )
      const publisher = createEventPublisher({ metadata, fanOut: async () => {}, onError: assert.ifError, pollMs: 5 })
      await publisher.start()
      await until(async () => (await createEventLog(metadata).findLast(registry)) === 5_100)
      await publisher.stop()
      const log = createEventLog(metadata)
      const query = { repository: parseRepositoryName('none'), limit: 10 }
      const first = await log.list(registry, { ...query, after: 0 })
      assert.deepEqual(first, { events: [], examined: 5_000, hasMore: true })
      assert.deepEqual(await log.list(registry, { ...query, after: 5_000 }), {
        events: [],
        examined: 5_100,
        hasMore: false,
      })
    })
  }),
)
