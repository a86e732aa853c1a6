import type { PublishedEvent } from '#events/event.ts'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'
import type { Pattern } from '#events/pattern/pattern.ts'
import type { FanOut } from '#events/publisher.ts'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { byText } from './lanes.ts'

/** Of patterns that stay parsed. */
const mostPatterns = 1_000
/** Bounds a statement: PostgreSQL takes 65,535 parameters. */
const rowsAtOnce = 1_000

export interface FanOutParts {
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Writes what each enabled webhook has to deliver, in the publisher's transaction. */
export function createFanOut({ clock, onError }: FanOutParts): FanOut {
  const parsed = new BoundedMap<string, Pattern | 'unreadable'>(mostPatterns)

  /** Another version may have accepted a pattern that this one refuses. Its webhook holds up no other. */
  function patternOf(text: string): Pattern | 'unreadable' {
    const found = parsed.get(text)
    if (found !== undefined) return found
    const pattern = read(text)
    parsed.set(text, pattern)
    return pattern
  }

  function read(text: string): Pattern | 'unreadable' {
    try {
      return parsePattern(text)
    } catch (error) {
      onError(error)
      return 'unreadable'
    }
  }

  function select(text: string, own: readonly PublishedEvent[]): readonly PublishedEvent[] {
    const pattern = own.length > 0 ? patternOf(text) : 'unreadable'
    return pattern === 'unreadable' ? [] : own.filter(({ envelope }) => matches(pattern, envelope))
  }

  return async (trx, published) => {
    if (published.length === 0) return
    const accounts = [...new Set(published.map(({ account }) => account))]
    const webhooks = await trx
      .selectFrom('webhook')
      .select(['id', 'account', 'region', 'pattern'])
      .where('account', 'in', accounts)
      .where('enabled', '=', 1)
      .orderBy('id')
      // A deletion waits, so that each row below has its webhook.
      .forKeyShare()
      .execute()
    const now = clock()
    const bodies = new Map(published.map(({ sequence, envelope }) => [sequence, JSON.stringify(envelope)]))
    for (const { id, account, region, pattern } of webhooks) {
      const own = published.filter((event) => event.account === account && event.region === region)
      const wanted = select(pattern, own)
      for (let at = 0; at < wanted.length; at += rowsAtOnce) {
        await enqueue(trx, id, wanted.slice(at, at + rowsAtOnce), { bodies, now })
      }
    }
  }
}

async function enqueue(
  trx: Transaction,
  webhook_id: number,
  events: readonly PublishedEvent[],
  { bodies, now }: { readonly bodies: ReadonlyMap<number, string>; readonly now: number },
): Promise<void> {
  const keys = [...new Set(events.map(({ orderKey }) => orderKey))].sort(byText)
  await trx
    .insertInto('webhook_lane')
    .values(keys.map((order_key) => ({ webhook_id, order_key, due_at: now, failures: 0 })))
    // Changes nothing and locks the lane: a deliverer that finds it empty deletes it under the same lock.
    .onConflict((conflict) =>
      conflict
        .columns(['webhook_id', 'order_key'])
        .doUpdateSet(({ ref }) => ({ order_key: ref('excluded.order_key') })),
    )
    .execute()
  await trx
    .insertInto('webhook_delivery')
    .values(
      events.map(({ sequence, orderKey, envelope }) => ({
        ...{ webhook_id, sequence, event_id: envelope.id, order_key: orderKey, detail_type: envelope['detail-type'] },
        ...{
          body: bodies.get(sequence) ?? JSON.stringify(envelope),
          state: 'waiting',
          attempts: 0,
          created_at: now,
          waiting_since: now,
        },
        ...{ first_at: null, last_at: null, last_status: null, last_error: null },
      })),
    )
    .onConflict((conflict) => conflict.columns(['webhook_id', 'order_key', 'sequence']).doNothing())
    .execute()
}
