import type { ExpressionBuilder } from 'kysely'
import type { Schema } from '#metadata/schema.ts'

export interface DeliveryKey {
  readonly orderKey: string
  readonly sequence: number
}

/** Deliveries of a webhook. A sequence stands for one event, so that both lists together name no other delivery. */
export function isOneOf(webhookId: number, deliveries: readonly DeliveryKey[]) {
  const orderKeys = [...new Set(deliveries.map(({ orderKey }) => orderKey))]
  const sequences = deliveries.map(({ sequence }) => sequence)
  return ({ and, eb }: ExpressionBuilder<Schema, 'webhook_delivery'>) =>
    and([eb('webhook_id', '=', webhookId), eb('order_key', 'in', orderKeys), eb('sequence', 'in', sequences)])
}
