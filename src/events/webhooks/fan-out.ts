import type { PublishedEvent } from '#events/event.ts'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'
import type { Pattern } from '#events/pattern/pattern.ts'
import type { FanOut } from '#events/publisher.ts'
import { addToCounter } from '#jobs/counters.ts'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { byText } from './lanes.ts'
import {
  bytesOf,
  countKept,
  defaultWebhookLimits,
  dropDead,
  type Kept,
  shareOf,
  sumOf,
  type WebhookLimits,
} from './room.ts'

/** Of patterns that stay parsed. */
const mostPatterns = 1_000
/** Bounds a statement: PostgreSQL takes 65,535 parameters. */
const rowsAtOnce = 1_000

export interface FanOutParts {
  readonly clock: Clock
  /** What a webhook may keep. */
  readonly limits?: WebhookLimits | undefined
  readonly onError: (error: unknown) => void
}

/** Writes what each enabled webhook has to deliver, in the publisher's transaction. */
export function createFanOut({ clock, onError, limits = defaultWebhookLimits }: FanOutParts): FanOut {
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
      .select(['id', 'account', 'region', 'pattern', 'enabled', 'kept_events as events', 'kept_bytes as bytes'])
      .where('account', 'in', accounts)
      .orderBy('id')
      // A deletion waits, so that each row below has its webhook. A weaker lock would be raised below, and PostgreSQL may find a deadlock.
      .forNoKeyUpdate()
      .execute()
    const now = clock()
    const bodies = new Map(published.map(({ sequence, envelope }) => [sequence, JSON.stringify(envelope)]))
    const byAccount = Map.groupBy(webhooks, ({ account }) => account)
    const shares = new Map(
      [...byAccount].map(([account, own]) => [
        account,
        shareOf(limits, { bytes: sumOf(own).bytes, webhooks: own.length }),
      ]),
    )
    let leftOut = 0
    for (const { id, account, region, pattern, enabled, ...kept } of webhooks) {
      if (enabled === 0) continue
      const own = published.filter((event) => event.account === account && event.region === region)
      const wanted = select(pattern, own).map((event) => {
        const body = bodies.get(event.sequence) ?? ''
        return { ...event, body, bytes: bytesOf(body) }
      })
      const fitting = await makeRoom(trx, id, { kept, share: shares.get(account) ?? limits, wanted, now })
      leftOut += wanted.length - fitting.length
      for (let at = 0; at < fitting.length; at += rowsAtOnce) {
        await enqueue(trx, id, fitting.slice(at, at + rowsAtOnce), now)
      }
    }
    await addToCounter(trx, 'lading_webhook_left_out_total', leftOut)
  }
}

interface Wanted extends PublishedEvent {
  readonly body: string
  readonly bytes: number
}

/** The first of the wanted events that fit, counted. The webhook is locked before its lanes, as in every other transaction. */
async function makeRoom(
  trx: Transaction,
  webhookId: number,
  asked: { readonly kept: Kept; readonly share: Kept; readonly wanted: readonly Wanted[]; readonly now: number },
): Promise<readonly Wanted[]> {
  const { kept, share, wanted, now } = asked
  if (wanted.length === 0) return []
  await countKept(trx, webhookId, sumOf(wanted))
  const all = sumOf([kept, ...wanted])
  const over = { events: kept.events + wanted.length - share.events, bytes: all.bytes - share.bytes }
  if (over.events <= 0 && over.bytes <= 0) return wanted
  const freed = await dropDead(trx, webhookId, over)
  let [events, bytes] = [share.events - kept.events + freed.events, share.bytes - kept.bytes + freed.bytes]
  const end = wanted.findIndex((event) => {
    events--
    bytes -= event.bytes
    return events < 0 || bytes < 0
  })
  if (end === -1) return wanted
  const left = sumOf(wanted.slice(end))
  await countKept(trx, webhookId, { events: -left.events, bytes: -left.bytes })
  await trx.updateTable('webhook').set({ failed_at: now, failure: full }).where('id', '=', webhookId).execute()
  return wanted.slice(0, end)
}

/** The failure of a webhook that keeps as much as it may. */
const full = 'too many events wait, and further ones are left out'

async function enqueue(trx: Transaction, webhook_id: number, events: readonly Wanted[], now: number): Promise<void> {
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
      events.map(({ sequence, orderKey, envelope, body, bytes }) => ({
        ...{ webhook_id, sequence, event_id: envelope.id, order_key: orderKey, detail_type: envelope['detail-type'] },
        ...{ body, bytes, state: 'waiting', attempts: 0, created_at: now, waiting_since: now },
        ...{ first_at: null, last_at: null, last_status: null, last_error: null },
      })),
    )
    .execute()
}
