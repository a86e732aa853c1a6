import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type Lane, readLane, type Waiting } from './lanes.ts'
import type { Message, Outcome, Poster, Receiver } from './post.ts'
import type { Settled, Settlement } from './settlement.ts'
import type { Settler } from './settler.ts'
import type { EnterSocket } from './sockets.ts'

/** Delivers some events of one lane, one after the other. It ends early with the first that fails. */
export type TakeTurn = (webhook: TurnOf, lane: Lane, signals: TurnSignals) => Promise<Turned>

export interface TurnOf {
  readonly id: number
  readonly enterSocket: EnterSocket
  readonly receiver: Receiver
}

export interface TurnSignals {
  /** No further message is sent. */
  readonly stopping: AbortSignal
  /** Those that are on their way are given up. */
  readonly aborted: AbortSignal
}

/** How a turn ended. `silent`: the last attempt had no answer. */
export interface Turned {
  readonly held: boolean
  readonly isGone: boolean
  readonly answer: 'none' | 'silent' | 'delivered' | 'failed'
}

export interface TurnParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly poster: Poster
  readonly settler: Settler
  /** The wait after so many failures in a row. */
  readonly retryMs: (failures: number) => number
  readonly onDead: (dead: { readonly webhookId: number; readonly count: number; readonly reason: string }) => void
  /** The receiver wants no further event, and the webhook is disabled. */
  readonly onGone: (gone: { readonly webhookId: number }) => void
}

/** Then other lanes have their turn. */
const mostMessages = 10
/** Of a receiver's `Retry-After`. */
const longestAskedMs = 60 * 60 * 1_000

export function createTakeTurn(parts: TurnParts): TakeTurn {
  const { metadata, clock, poster, settler, retryMs, onDead, onGone } = parts

  function nextOf(outcome: Outcome, failures: number, { isLast }: { readonly isLast: boolean }): Settlement['next'] {
    const now = clock()
    if (outcome.kind === 'delivered') return isLast ? { at: now, failures: 0 } : undefined
    const asked = outcome.kind === 'failed' ? (outcome.retryAfterMs ?? 0) : 0
    return { at: now + Math.max(retryMs(failures), Math.min(asked, longestAskedMs)), failures }
  }

  return async ({ id: webhookId, enterSocket, receiver }, { orderKey, failures: before }, signals) => {
    const waiting = await readLane(metadata.reader, webhookId, orderKey, mostMessages)
    let failures = before
    let settled: Settled | undefined
    for (const [index, message] of waiting.entries()) {
      if (signals.stopping.aborted) break
      const leave = await enterSocket(signals.stopping)
      const outcome = await poster.post(receiver, messageOf(message), signals.aborted).finally(leave)
      failures = outcome.kind === 'delivered' ? 0 : failures + 1
      const next = nextOf(outcome, failures, { isLast: index === waiting.length - 1 })
      const { sequence, waitingSince } = message
      const attempt = { sequence, waitingSince, outcome }
      settled = await settler.settle({ webhookId, orderKey, at: clock(), attempt, next })
      if (outcome.kind === 'delivered' && settled.held) continue
      if (settled.held && outcome.kind === 'gone') onGone({ webhookId })
      const count = settled.dead.get(orderKey) ?? 0
      if (count > 0 && outcome.kind !== 'delivered') onDead({ webhookId, count, reason: outcome.error })
      return { held: settled.held, isGone: outcome.kind === 'gone', answer: answerOf(outcome) }
    }
    if (settled !== undefined || signals.stopping.aborted) return { held: true, isGone: false, answer: 'delivered' }
    const at = clock()
    const { held } = await settler.settle({ webhookId, orderKey, at, attempt: undefined, next: { at, failures: 0 } })
    return { held, isGone: false, answer: 'none' }
  }
}

function messageOf({ eventId: id, body }: Waiting): Message {
  return { id, body }
}

function answerOf(outcome: Outcome): Turned['answer'] {
  if (outcome.kind === 'delivered') return 'delivered'
  return outcome.kind === 'failed' && outcome.status === undefined ? 'silent' : 'failed'
}
