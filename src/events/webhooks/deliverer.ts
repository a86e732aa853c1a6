import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { findDueLanes, type Lane, makeAllDue } from './lanes.ts'
import type { DueWebhook, WebhookLeases } from './leases.ts'
import type { Receiver } from './post.ts'
import { findReceiver } from './receiver.ts'
import type { Sockets } from './sockets.ts'
import type { TakeTurn, Turned, TurnSignals } from './turn.ts'

/** Delivers for one webhook while there is something due, under its lease. Lanes run beside one another. */
export interface Deliverer {
  /** Something may have become due. */
  wake(): void
  readonly ended: Promise<void>
}

export interface DelivererParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly box: SecretBox
  readonly leases: WebhookLeases
  readonly sockets: Sockets
  readonly takeTurn: TakeTurn
  readonly onError: (error: unknown) => void
  /** How long it keeps the lease while nothing is due. */
  readonly lingerMs: number
}

/** How many messages to one receiver are on their way at once. */
const mostLanes = 16
/** To a receiver that does not answer. Others need the sockets. */
const lanesOfSilent = 1
/** Before a lane has its turn again that could not be read or written. */
const pauseAfterErrorMs = 1_000

export function startDeliverer(parts: DelivererParts, webhook: DueWebhook, signals: TurnSignals): Deliverer {
  const { id: webhookId, account } = webhook
  const { metadata, clock, leases, sockets, takeTurn, onError, lingerMs } = parts
  const enterSocket = sockets.ofWebhook(account)
  const running = new Map<string, Promise<void>>()
  const over = new AbortController()
  const stopping = AbortSignal.any([signals.stopping, over.signal])
  let isSilent = false
  let isWoken = false
  let resume: (() => void) | undefined

  function wake(): void {
    isWoken = true
    resume?.()
  }

  /** Resolves when something happens. False after `lingerMs` without anything. */
  function pause(): Promise<boolean> {
    if (isWoken || stopping.aborted) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(false), lingerMs)
      const end = (happened: boolean) => {
        clearTimeout(timer)
        resume = undefined
        resolve(happened)
      }
      resume = () => end(true)
    })
  }

  async function note({ held, isGone, answer }: Turned): Promise<void> {
    if (!held || isGone) over.abort()
    if (answer === 'silent') isSilent = true
    if (answer !== 'delivered' && answer !== 'failed') return
    const wasSilent = isSilent
    isSilent = false
    // What waits for a receiver that was out of reach need not wait any longer.
    if (wasSilent) await metadata.transaction((trx) => makeAllDue(trx, webhookId, clock()))
  }

  function begin(lane: Lane, receiver: Receiver): void {
    const turn = takeTurn({ id: webhookId, enterSocket, receiver }, lane, { ...signals, stopping })
      .then(note)
      .catch(async (error) => {
        if (stopping.aborted) return
        onError(error)
        await new Promise((resolve) => setTimeout(resolve, pauseAfterErrorMs))
      })
      .finally(() => {
        running.delete(lane.orderKey)
        wake()
      })
    running.set(lane.orderKey, turn)
  }

  /** False for a webhook that is disabled or deleted. */
  async function beginDue(limit: number): Promise<boolean> {
    if (limit <= 0) return true
    const asked = { now: clock(), limit, running: [...running.keys()] }
    const lanes = await findDueLanes(metadata.reader, webhookId, asked)
    if (lanes.length === 0) return true
    // Read after the lanes: a change of the webhook makes them due.
    const receiver = await findReceiver(metadata.reader, webhookId, parts)
    if (receiver === undefined) return false
    for (const lane of lanes) begin(lane, receiver)
    return true
  }

  async function drain(): Promise<void> {
    while (!stopping.aborted) {
      isWoken = false
      if (!(await beginDue((isSilent ? lanesOfSilent : mostLanes) - running.size))) return
      const happened = await pause()
      if (!happened && running.size === 0) return
    }
  }

  async function run(): Promise<void> {
    if (!(await leases.hold(webhookId))) return
    const renewing = setInterval(() => {
      leases.hold(webhookId).then((held) => held || over.abort(), onError)
    }, leases.renewEveryMs)
    try {
      await drain()
    } finally {
      await Promise.all(running.values())
      clearInterval(renewing)
      await leases.release(webhookId)
    }
  }

  stopping.addEventListener('abort', wake, { once: true })
  return { wake, ended: run().catch(onError) }
}
