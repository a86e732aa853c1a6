import type { SecretBox } from '#iam/secret-box.ts'
import { backoffMs } from '#jobs/backoff.ts'
import type { Clock } from '#lib/clock.ts'
import { oneLook } from '#lib/one-look.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type Deliverer, type DelivererParts, startDeliverer } from './deliverer.ts'
import { createWebhookLeases, type DueWebhook } from './leases.ts'
import type { Poster } from './post.ts'
import { createSettler } from './settler.ts'
import { createSockets } from './sockets.ts'
import { createTakeTurn, type TurnParts } from './turn.ts'

/** Delivers what webhooks have to deliver. Each process has one. It shares no place with jobs. */
export interface WebhookRunner {
  start(): void
  /** Something may have become due: an event was published, or a caller asked for a delivery. */
  wake(): void
  stop(): Promise<void>
}

export interface WebhookRunnerParts extends Pick<TurnParts, 'onDead' | 'onGone'> {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly box: SecretBox
  readonly poster: Poster
  /** Unlike that of any other process, now or before. */
  readonly processId: string
  readonly onError: (error: unknown) => void
  /** The wait after so many failures in a row. */
  readonly retryMs?: TurnParts['retryMs'] | undefined
  readonly pollMs?: number | undefined
  /** How long a lease lasts that is not renewed. */
  readonly heldMs?: number | undefined
}

const usualPollMs = 500
const lingerMs = 5_000
/** When the process stops, for messages that are on their way. */
const graceMs = 1_000

export function createWebhookRunner(parts: WebhookRunnerParts): WebhookRunner {
  const { metadata, clock, box, processId, onError, pollMs = usualPollMs } = parts
  const { retryMs = (failures) => backoffMs(failures, Math.random()) } = parts
  const settler = createSettler({ metadata, processId })
  const sockets = createSockets()
  const leases = createWebhookLeases({ metadata, clock, processId, heldMs: parts.heldMs })
  const takeTurn = createTakeTurn({ ...parts, settler, retryMs })
  const delivererParts: DelivererParts = { metadata, clock, box, leases, sockets, takeTurn, onError, lingerMs }
  const active = new Map<number, Deliverer>()
  const stopping = new AbortController()
  const aborted = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const looks = oneLook(startDue, onError)

  async function startDue(): Promise<void> {
    for (const due of await leases.findDue()) {
      const found = active.get(due.id)
      if (found !== undefined) found.wake()
      else if (!stopping.signal.aborted) begin(due)
    }
  }

  function begin(due: DueWebhook): void {
    const { id } = due
    const deliverer = startDeliverer(delivererParts, due, { stopping: stopping.signal, aborted: aborted.signal })
    active.set(id, deliverer)
    void deliverer.ended.finally(() => active.delete(id))
  }

  return {
    start() {
      timer = setInterval(looks.ask, pollMs).unref()
      looks.ask()
    },
    wake: looks.ask,
    async stop() {
      stopping.abort()
      clearInterval(timer)
      await looks.stop()
      const giveUp = setTimeout(() => aborted.abort(), graceMs)
      await Promise.all([...active.values()].map(({ ended }) => ended))
      clearTimeout(giveUp)
    },
  }
}
