import { randomUUID } from 'node:crypto'
import type { SecretBox } from '#iam/secret-box.ts'
import type { Clock } from '#lib/clock.ts'
import { Lanes } from '#lib/lanes.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Outcome, Poster } from './post.ts'
import { openSecrets, signingAt } from './secrets.ts'
import type { Webhook } from './webhook.ts'

/** Sends a webhook an event of its own, at once and one time, also where the webhook is disabled. */
export type TryWebhook = (webhook: Webhook, signal: AbortSignal) => Promise<Trial>

export interface Trial {
  readonly eventId: string
  readonly outcome: Outcome
  readonly durationMs: number
}

/** Of one account. Further ones wait. */
const mostTrials = 4

export function createTryWebhook({
  metadata,
  clock,
  box,
  poster,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly box: SecretBox
  readonly poster: Poster
}): TryWebhook {
  const turns = new Lanes(mostTrials)
  return async ({ id, url, name, registry }, signal) => {
    const { sealed_secrets } = await metadata.reader
      .selectFrom('webhook')
      .select('sealed_secrets')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    const now = clock()
    const secrets = signingAt(openSecrets(box, sealed_secrets), now).map(({ secret }) => secret)
    const eventId = randomUUID()
    const envelope = {
      ...{ version: '0', id: eventId, 'detail-type': 'Lading Webhook Test', source: 'lading' },
      ...{ account: registry.account, time: `${new Date(now).toISOString().slice(0, 19)}Z`, region: registry.region },
      ...{ resources: [], detail: { 'webhook-name': name } },
    }
    const leave = await turns.enter(registry.account, signal)
    const startedAt = performance.now()
    try {
      const outcome = await poster.post({ url, secrets }, { id: eventId, body: JSON.stringify(envelope) }, signal)
      return { eventId, outcome, durationMs: Math.round(performance.now() - startedAt) }
    } finally {
      leave()
    }
  }
}
