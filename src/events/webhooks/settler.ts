import { setTimeout as delay } from 'node:timers/promises'
import { addToCounters } from '#jobs/counters.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { lost, type Settled, type Settlement, writeSettlements } from './settlement.ts'

/**
 * Writes what attempts leave behind, those that end at about the same time in one transaction. A lane goes on only when its own is
 * committed, so that a message follows only one that stays delivered.
 */
export interface Settler {
  settle(settlement: Settlement): Promise<Settled>
}

/** In a transaction. Further ones wait for the next. */
const mostAtOnce = 256
/** Others have as long to come along as the last commit took, within these bounds. */
const gather = { leastMs: 1, mostMs: 10 }

interface Pending {
  readonly settlement: Settlement
  readonly resolve: (settled: Settled) => void
  readonly reject: (error: unknown) => void
}

export function createSettler({
  metadata,
  processId,
}: {
  readonly metadata: Metadata
  readonly processId: string
}): Settler {
  let pending: Pending[] = []
  let writing = false
  let lastMs = 0

  async function write(): Promise<void> {
    writing = true
    while (pending.length > 0) {
      await delay(Math.min(Math.max(lastMs, gather.leastMs), gather.mostMs))
      const startedAt = performance.now()
      const batch = pending.slice(0, mostAtOnce)
      pending = pending.slice(mostAtOnce)
      try {
        const settled = await commit(batch.map(({ settlement }) => settlement))
        for (const { settlement, resolve } of batch) {
          resolve(settled.get(settlement.webhookId) ?? lost)
        }
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
      lastMs = performance.now() - startedAt
    }
    writing = false
  }

  function commit(settlements: readonly Settlement[]): Promise<ReadonlyMap<number, Settled>> {
    const byWebhook = Map.groupBy(settlements, ({ webhookId }) => webhookId)
    return metadata.transaction(async (trx) => {
      const settled = new Map<number, Settled>()
      for (const [webhookId, own] of [...byWebhook].sort(([a], [b]) => a - b)) {
        settled.set(webhookId, await writeSettlements(trx, processId, webhookId, own))
      }
      await count(trx, [...settled.values()])
      return settled
    })
  }

  return {
    settle: (settlement) =>
      new Promise((resolve, reject) => {
        pending.push({ settlement, resolve, reject })
        if (!writing) void write()
      }),
  }
}

/** The last thing of the transaction, since all processes add to the same rows. */
async function count(trx: Transaction, settled: readonly Settled[]): Promise<void> {
  const sum = (of: (each: Settled) => number) => settled.reduce((total, each) => total + of(each), 0)
  const counts = {
    lading_webhook_delivered_total: sum(({ delivered }) => delivered),
    lading_webhook_failed_total: sum(({ failed }) => failed),
    lading_webhook_dead_total: sum(({ dead }) => dead.values().reduce((total, each) => total + each, 0)),
  }
  await addToCounters(trx, new Map(Object.entries(counts).filter(([, count]) => count > 0)))
}
