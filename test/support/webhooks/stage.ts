/** Webhooks over a database, without a server: what a process does with events that a test publishes. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { orderKey, type PublishedEvent } from '#events/event.ts'
import { createWebhookService, type WebhookService, type WebhookServiceParts } from '#events/webhooks/service.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { type Receiver, startReceiver } from './receiver.ts'

export const registry = { account: parseAccountId('111111111111'), region: parseRegion('eu-west-1') }

/** What all processes of a test seal secrets with. */
export const testBox = createSecretBox(Buffer.alloc(32, 7))

export interface WebhookStage extends AsyncDisposable {
  readonly metadata: Metadata
  readonly service: WebhookService
  /** Reasons of deliveries that died, and how many. */
  readonly dead: { readonly count: number; readonly reason: string }[]
  /** A receiver, and a webhook that delivers to it. */
  receiver(name: string, pattern?: string): Promise<Receiver>
  /** Publishes an event of each of these repositories, in order. */
  publish(...repositories: readonly string[]): Promise<readonly PublishedEvent[]>
}

export interface StageOptions {
  readonly metadata: Metadata
  readonly clock?: Clock
  readonly waits?: WebhookServiceParts['waits']
  readonly parts?: Partial<WebhookServiceParts>
  /** False where other processes deliver. */
  readonly delivers?: boolean
}

export const quickWaits = { pollMs: 10, retryMs: () => 20, timeoutMs: 1_000 }

export function openStage(options: StageOptions): WebhookStage {
  const { metadata, clock = systemClock, waits = quickWaits, parts = {}, delivers = true } = options
  const dead: { readonly count: number; readonly reason: string }[] = []
  const service = createWebhookService({
    ...{ metadata, clock, quotas, waits, box: testBox, processId: randomUUID() },
    ...{ certificates: [], hosts: [{ hostname: '127.0.0.1', port: undefined }] },
    onError: (error) => assert.fail(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    onDead: ({ count, reason }) => void dead.push({ count, reason }),
    onGone: () => {},
    ...parts,
  })
  const opened = new AsyncDisposableStack()
  opened.defer(() => service.stop())
  if (delivers) service.start()
  return {
    metadata,
    service,
    dead,
    async receiver(name, pattern) {
      const receiver = opened.use(await startReceiver())
      const asked = { name, url: `${receiver.url}/events`, pattern, description: undefined, enabled: true }
      const { secret } = await service.webhooks.create(registry, asked)
      receiver.secrets = [secret]
      return receiver
    },
    async publish(...repositories) {
      const events = await nextEvents(metadata, repositories)
      await metadata.transaction((trx) => service.fanOut(trx, events))
      return events
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** As the publisher makes them. `detail.n` counts up in each repository. */
async function nextEvents(metadata: Metadata, repositories: readonly string[]): Promise<readonly PublishedEvent[]> {
  const counts = countsOf.get(metadata) ?? { sequence: 0, byRepository: new Map<string, number>() }
  countsOf.set(metadata, counts)
  return repositories.map((repository) => {
    const n = (counts.byRepository.get(repository) ?? 0) + 1
    counts.byRepository.set(repository, n)
    counts.sequence++
    return {
      ...{ sequence: counts.sequence, ...registry, orderKey: orderKey(registry, parseRepositoryName(repository)) },
      envelope: {
        ...{ version: '0', id: randomUUID(), 'detail-type': 'ECR Image Action', source: 'aws.ecr', ...registry },
        ...{ time: '2026-01-02T03:04:05Z', resources: [] },
        detail: { 'repository-name': repository, n },
      },
    }
  })
}

const countsOf = new WeakMap<Metadata, { sequence: number; readonly byRepository: Map<string, number> }>()
