import type { FanOut } from '#events/publisher.ts'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { createFanOut } from './fan-out.ts'
import { createPoster, type PosterParts } from './post.ts'
import { createAdmitReceiver, type ReceiverHost } from './receivers.ts'
import type { WebhookLimits } from './room.ts'
import { createWebhookRunner, type WebhookRunnerParts } from './runner.ts'
import { createTryWebhook, type TryWebhook } from './trial.ts'
import { createWebhooks, type Webhooks, type WebhooksParts } from './webhooks.ts'

/** Webhooks as a whole: what callers keep, what the publisher writes, and what each process delivers. */
export interface WebhookService {
  readonly webhooks: Webhooks
  readonly deliveries: Deliveries
  readonly tryWebhook: TryWebhook
  readonly fanOut: FanOut
  start(): void
  /** Messages on their way have a second. */
  stop(): Promise<void>
}

export interface WebhookServiceParts
  extends Omit<WebhooksParts, 'admit' | 'onDue'>,
    Pick<PosterParts, 'certificates' | 'lookUp'>,
    Pick<WebhookRunnerParts, 'processId' | 'onError' | 'onDead' | 'onGone'> {
  /** `LADING_WEBHOOK_HOSTS`. */
  readonly hosts: readonly ReceiverHost[]
  /** What a webhook may keep. For tests. */
  readonly limits?: WebhookLimits | undefined
  /** Short ones, for tests. */
  readonly waits?: WebhookWaits | undefined
}

export interface WebhookWaits
  extends Pick<WebhookRunnerParts, 'retryMs' | 'pollMs' | 'heldMs'>,
    Pick<PosterParts, 'timeoutMs'> {}

export function createWebhookService({ hosts, waits = {}, ...parts }: WebhookServiceParts): WebhookService {
  const admit = createAdmitReceiver(hosts)
  const poster = createPoster({ ...parts, admit, timeoutMs: waits.timeoutMs })
  const runner = createWebhookRunner({ ...parts, ...waits, poster })
  const onDue = () => runner.wake()
  return {
    webhooks: createWebhooks({ ...parts, admit, onDue }),
    deliveries: createDeliveries({ ...parts, onDue }),
    tryWebhook: createTryWebhook({ ...parts, poster }),
    fanOut: createFanOut(parts),
    start: () => runner.start(),
    async stop() {
      await runner.stop()
      await poster[Symbol.asyncDispose]()
    },
  }
}
