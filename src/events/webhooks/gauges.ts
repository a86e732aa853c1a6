import type { Reader } from '#metadata/metadata.ts'
import { countDeliveries, type DeliveryCounts } from './deliveries.ts'

/** What each webhook still has to deliver, and what it gave up, for metrics. */
export const webhookGauges = [
  gauge('lading_webhook_waiting', 'Events that a webhook still has to deliver.', ({ waiting }) => waiting),
  gauge('lading_webhook_dead', 'Events that a webhook could not deliver within a day.', ({ dead }) => dead),
] as const

function gauge(name: string, help: string, count: (counts: DeliveryCounts) => number) {
  const read = async (reader: Reader) => {
    const counts = await countDeliveries(reader)
    const webhooks = await reader.selectFrom('webhook').select(['id', 'account', 'region', 'name']).execute()
    return webhooks.map(({ id, account, region, name: webhook }) => ({
      labels: { account, region, webhook },
      value: count(counts.get(id) ?? { waiting: 0, dead: 0 }),
    }))
  }
  return { name, help, labelNames: ['account', 'region', 'webhook'], read } as const
}
