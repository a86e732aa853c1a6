import type { Handlers } from '#aws/operation.ts'
import type { Deliveries, Delivery, DeliveryCounts, DeliveryState } from '#events/webhooks/deliveries.ts'
import type { TryWebhook } from '#events/webhooks/trial.ts'
import type { Webhook } from '#events/webhooks/webhook.ts'
import type { Webhooks } from '#events/webhooks/webhooks.ts'
import { webhookArn } from '#names/arn.ts'
import type { Registry } from '#names/registry.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'

export interface WebhookParts {
  readonly webhooks: Webhooks
  readonly deliveries: Deliveries
  readonly tryWebhook: TryWebhook
}

/** Where events are sent, and what did not arrive there. */
export function webhookOperations({ webhooks, deliveries, tryWebhook }: WebhookParts) {
  async function describeAll(all: readonly Webhook[]): Promise<wire.Webhook[]> {
    const counts = await deliveries.count(all.map(({ id }) => id))
    return all.map((webhook) => describeWebhook(webhook, counts.get(webhook.id)))
  }

  return {
    CreateWebhook: {
      resource: namedWebhook,
      handle: async ({ input, registry }) => {
        const { name, url, eventPattern: pattern, description, enabled = true } = input
        const { webhook, secret } = await webhooks.create(registry, { name, url, pattern, description, enabled })
        return { registryId: registry.account, webhook: describeWebhook(webhook, undefined), secret }
      },
    },

    UpdateWebhook: {
      resource: namedWebhook,
      handle: async ({ input, registry }) => {
        const { name, url, eventPattern: pattern, description, enabled } = input
        const webhook = await webhooks.update(registry, name, { url, pattern, description, enabled })
        const counts = await deliveries.count([webhook.id])
        return { registryId: registry.account, webhook: describeWebhook(webhook, counts.get(webhook.id)) }
      },
    },

    DeleteWebhook: {
      resource: namedWebhook,
      handle: async ({ input: { name }, registry }) => {
        await webhooks.delete(registry, name)
        return { registryId: registry.account, name }
      },
    },

    DescribeWebhook: {
      resource: namedWebhook,
      handle: async ({ input: { name }, registry }) => {
        const webhook = await webhooks.get(registry, name)
        const counts = await deliveries.count([webhook.id])
        return { registryId: registry.account, webhook: describeWebhook(webhook, counts.get(webhook.id)) }
      },
    },

    ListWebhooks: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const page = openPage(input, ['ListWebhooks', registry], 1)
        const { items, next } = await webhooks.list(registry, { limit: page.limit, after: page.after?.[0] })
        return {
          registryId: registry.account,
          webhooks: await describeAll(items),
          nextToken: page.nextToken(next === undefined ? undefined : [next]),
        }
      },
    },

    RotateWebhookSecret: {
      resource: namedWebhook,
      handle: async ({ input: { name }, registry }) => {
        const { webhook, secret, previousUntil } = await webhooks.rotateSecret(registry, name)
        const counts = await deliveries.count([webhook.id])
        return {
          ...{ registryId: registry.account, webhook: describeWebhook(webhook, counts.get(webhook.id)), secret },
          previousSecretExpiresAt: new Date(previousUntil),
        }
      },
    },

    TestWebhook: {
      resource: namedWebhook,
      handle: async ({ input: { name }, registry, signal }) => {
        const { eventId, outcome, durationMs } = await tryWebhook(await webhooks.get(registry, name), signal)
        return {
          ...{ registryId: registry.account, name, eventId, delivered: outcome.kind === 'delivered' },
          ...{ statusCode: outcome.status, durationMilliseconds: durationMs },
          error: outcome.kind === 'delivered' ? undefined : outcome.error,
        }
      },
    },

    ListWebhookDeliveries: {
      resource: namedWebhook,
      handle: async ({ input, registry }) => {
        const { name, state } = input
        const page = openPage(input, ['ListWebhookDeliveries', registry, name, state], 2)
        const [orderKey = '', sequence = '0'] = page.after ?? []
        if (!/^\d{1,15}$/.test(sequence)) throw refuse('PageTokenInvalid', {})
        const webhook = await webhooks.get(registry, name)
        const { items, next } = await deliveries.list(webhook, {
          state: state && states[state],
          limit: page.limit,
          after: page.after && { orderKey, sequence: Number(sequence) },
        })
        return {
          ...{ registryId: registry.account, name, deliveries: items.map(describeDelivery) },
          nextToken: page.nextToken(next && [next.orderKey, String(next.sequence)]),
        }
      },
    },

    RedeliverWebhookEvents: {
      resource: namedWebhook,
      handle: async ({ input: { name, eventId, allDead = false }, registry }) => {
        if ((eventId === undefined) !== allDead) throw refuse('RedeliveryAmbiguous', {})
        const eventCount = await deliveries.redeliver(await webhooks.get(registry, name), eventId)
        return { registryId: registry.account, name, eventCount }
      },
    },
  } satisfies Handlers<
    Operations,
    | 'CreateWebhook'
    | 'UpdateWebhook'
    | 'DeleteWebhook'
    | 'DescribeWebhook'
    | 'ListWebhooks'
    | 'RotateWebhookSecret'
    | 'TestWebhook'
    | 'ListWebhookDeliveries'
    | 'RedeliverWebhookEvents'
  >
}

function namedWebhook({
  input,
  registry,
}: {
  readonly input: { readonly name: string }
  readonly registry: Registry
}): string {
  return webhookArn(registry, input.name)
}

const states = { WAITING: 'waiting', DEAD: 'dead' } as const satisfies Record<wire.WebhookDeliveryState, DeliveryState>

const namesOfStates = { waiting: 'WAITING', dead: 'DEAD' } as const satisfies Record<
  DeliveryState,
  wire.WebhookDeliveryState
>

function describeWebhook(webhook: Webhook, counts: DeliveryCounts | undefined): wire.Webhook {
  const { name, url, pattern, description, enabled, isGone, failure } = webhook
  return {
    ...{ name, url, eventPattern: pattern, description, enabled, gone: isGone },
    ...{ createdAt: new Date(webhook.createdAt), updatedAt: new Date(webhook.updatedAt) },
    ...{ waitingCount: counts?.waiting ?? 0, deadCount: counts?.dead ?? 0 },
    lastDeliveredAt: dateOf(webhook.deliveredAt),
    lastFailure: failure && { at: new Date(failure.at), reason: failure.reason },
  }
}

function describeDelivery(delivery: Delivery): wire.WebhookDelivery {
  const { eventId, detailType, orderKey, attempts, lastStatus, lastError } = delivery
  return {
    ...{ eventId, detailType, orderKey, state: namesOfStates[delivery.state], attempts },
    ...{ createdAt: new Date(delivery.createdAt), firstAttemptAt: dateOf(delivery.firstAt) },
    ...{ lastAttemptAt: dateOf(delivery.lastAt), lastStatusCode: lastStatus, lastError },
  }
}

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at)
}
